//! Header fields of an answer, as text.

use super::{Decision, ceil_seconds};
use crate::{policy::PolicyLimit, store::LimitStatus};

pub(crate) const RATE_LIMIT_POLICY: &str = "ratelimit-policy";
pub(crate) const RATE_LIMIT: &str = "ratelimit";
const RETRY_AFTER: &str = "retry-after";

impl Decision {
    /// The header fields of the answer, as names in lower case and values in ASCII: those of
    /// `RateLimit-Policy`, `RateLimit` and `Retry-After` that have a value.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, String)> {
        let retry_after = match self {
            Self::Admitted(_) => None,
            Self::Refused(refused) => refused.retry_after(),
        };
        [
            (RATE_LIMIT_POLICY, self.rate_limit_policy()),
            (RATE_LIMIT, self.rate_limit()),
            (
                RETRY_AFTER,
                retry_after.map(|wait| wait.as_secs().to_string()),
            ),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }

    /// The value of `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-11): each enforced
    /// limit with its burst as `q` and the seconds in which that comes back as `w`; `None` where
    /// nothing is enforced.
    #[must_use]
    pub fn rate_limit_policy(&self) -> Option<String> {
        list(
            self.checked()
                .enforced()
                .map(|(limit, _)| limit.advertised().to_owned()),
        )
    }

    /// The value of `RateLimit` (same draft): the tokens left as `r` and the seconds until there
    /// is one more as `t`, which a full bucket has none of.
    ///
    /// A refusal names only the limits that refused, so that no `t` lies beyond `Retry-After`.
    #[must_use]
    pub fn rate_limit(&self) -> Option<String> {
        match self {
            Self::Admitted(admitted) => list(admitted.limits.enforced().map(service_limit)),
            Self::Refused(refused) => list(refused.limits.violated().map(service_limit)),
        }
    }
}

fn service_limit((limit, status): (&PolicyLimit, LimitStatus<'_>)) -> String {
    let (name, remaining) = (limit.name(), status.remaining());
    match status.next_token() {
        Some(wait) => format!("\"{name}\";r={remaining};t={}", ceil_seconds(wait)),
        None => format!("\"{name}\";r={remaining}"),
    }
}

fn list(items: impl Iterator<Item = String>) -> Option<String> {
    items.reduce(|list, item| list + ", " + &item)
}

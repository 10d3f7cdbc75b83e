//! The problem body of a refusal.

use serde::Serialize;

use super::Refused;
use crate::{bucket::Retry, store::Source};

/// Type, title and status.
const QUOTA_EXCEEDED: (&str, &str, u16) = (
    "https://iana.org/assignments/http-problem-types#quota-exceeded",
    "Request cannot be satisfied as assigned quota has been exceeded",
    429,
);
const TEMPORARY_REDUCED_CAPACITY: (&str, &str, u16) = (
    "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
    "Request cannot be satisfied due to temporary server capacity constraints",
    503,
);

/// The parts of an `application/problem+json` body (RFC 9457) for a refusal.
///
/// It serialises to the whole object; a service that adds members of its own can flatten it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Problem<'a> {
    /// The URI that says which kind of problem this is.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The kind in words, the same for every problem of the kind.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What the client can do.
    pub detail: &'static str,
    /// The names of the limits without room.
    pub violated_policies: Vec<&'a str>,
}

impl Refused {
    /// The body of the answer: `quota-exceeded` as registered by
    /// draft-ietf-httpapi-ratelimit-headers-11, or its `temporary-reduced-capacity` where the refusal is of
    /// a [fallback](Source::Fallback), whose limits are a part of the quota.
    #[must_use]
    pub fn problem(&self) -> Problem<'_> {
        let is_reduced = self.limits.outcome.source() == Source::Fallback;
        let (kind, title, status) = if is_reduced {
            TEMPORARY_REDUCED_CAPACITY
        } else {
            QUOTA_EXCEEDED
        };
        Problem {
            kind,
            title,
            status,
            detail: match (self.retry(), is_reduced) {
                (Retry::After(_), _) => "Try again after the time that Retry-After gives.",
                (Retry::NeverSatisfiable, true) => {
                    "The request costs more than is admitted at present. Split it into smaller ones, or try \
                     again later."
                }
                (Retry::NeverSatisfiable, false) => {
                    "The request costs more than the quota ever holds. Split it into smaller ones."
                }
            },
            violated_policies: self.violated().map(|name| name.as_str()).collect(),
        }
    }
}

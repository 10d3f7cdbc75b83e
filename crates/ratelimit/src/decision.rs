//! Admitted or refused, and what an answer says about it.

mod fields;
mod problem;

use std::{sync::Arc, time::Duration};

use crate::{
    bucket::Retry,
    jitter::Jitter,
    policy::{LimitName, Policy, PolicyLimit},
    store::{ChargeOutcome, LimitStatus},
};

#[cfg(feature = "http")]
pub(crate) use self::fields::{RATE_LIMIT, RATE_LIMIT_POLICY};

pub use self::problem::Problem;

/// Whether a request was admitted, with everything that an answer says about it.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "closed: a request is admitted or it is not"
)]
pub enum Decision {
    /// Every enforced limit had room, and was charged.
    Admitted(Admitted),
    /// Some enforced limit had no room; nothing was charged.
    Refused(Refused),
}

/// The limits after they were charged.
#[derive(Clone, Debug)]
pub struct Admitted {
    limits: Limits,
}

/// The limits as they are, and when to come back.
#[derive(Clone, Debug)]
pub struct Refused {
    limits: Limits,
    retry: Retry,
    retry_after: Option<Duration>,
}

/// A policy, and the status of each of its limits.
#[derive(Clone, Debug)]
struct Limits {
    policy: Arc<Policy>,
    outcome: ChargeOutcome,
}

impl Decision {
    pub(crate) fn new(policy: Arc<Policy>, outcome: ChargeOutcome, jitter: &Jitter) -> Self {
        let limits = Limits { policy, outcome };
        let longest = limits
            .violated()
            .filter_map(|(_, status)| status.refusal())
            .max();
        match longest {
            None => Self::Admitted(Admitted { limits }),
            Some(retry) => {
                let retry_after = retry_after(retry, jitter);
                Self::Refused(Refused {
                    limits,
                    retry,
                    retry_after,
                })
            }
        }
    }

    /// Whether the request may go on.
    #[must_use]
    pub const fn is_admitted(&self) -> bool {
        matches!(self, Self::Admitted(_))
    }

    /// The policy that the request was checked against.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.checked().policy
    }

    /// Every limit that applied, shadows included, and its status.
    pub fn limits(&self) -> impl Iterator<Item = (&PolicyLimit, &LimitStatus)> {
        self.checked().all()
    }

    const fn checked(&self) -> &Limits {
        match self {
            Self::Admitted(admitted) => &admitted.limits,
            Self::Refused(refused) => &refused.limits,
        }
    }
}

impl Refused {
    /// When the request would be admitted if nothing else were: the longest of all limits
    /// without room, to the microsecond.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        self.retry
    }

    /// What `Retry-After` says: whole seconds, at least one, never before [`retry`](Self::retry),
    /// and up to a quarter later so that clients do not all come back at once. `None` where
    /// trying again is of no use.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// The names of the enforced limits that had no room.
    pub fn violated(&self) -> impl Iterator<Item = &LimitName> {
        self.limits.violated().map(|(limit, _)| limit.name())
    }
}

impl Limits {
    fn all(&self) -> impl Iterator<Item = (&PolicyLimit, &LimitStatus)> {
        let limits = self.policy.limits().iter().enumerate();
        limits.filter_map(|(position, limit)| Some((limit, self.outcome.status(position)?)))
    }

    fn enforced(&self) -> impl Iterator<Item = (&PolicyLimit, &LimitStatus)> {
        self.all().filter(|(limit, _)| limit.is_enforced())
    }

    fn violated(&self) -> impl Iterator<Item = (&PolicyLimit, &LimitStatus)> {
        self.enforced()
            .filter(|(_, status)| status.refusal().is_some())
    }
}

fn retry_after(retry: Retry, jitter: &Jitter) -> Option<Duration> {
    match retry {
        Retry::After(wait) => Some(Duration::from_secs(
            jitter.lengthen(ceil_seconds(wait).max(1)),
        )),
        Retry::NeverSatisfiable => None,
    }
}

fn ceil_seconds(duration: Duration) -> u64 {
    duration
        .as_secs()
        .saturating_add(u64::from(duration.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests;

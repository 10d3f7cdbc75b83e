use std::sync::Arc;
use std::time::Duration;

use crate::bucket::Retry;
use crate::jitter::Jitter;
use crate::name::LimitName;
use crate::policy::{Policy, PolicyLimit};
use crate::store::{Reading, Readings};

pub use self::problem::Problem;

mod fields;
mod problem;

/// What became of a request, with everything that an answer says about it.
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

/// How the limits stand after they were charged.
#[derive(Clone, Debug)]
pub struct Admitted {
    standing: Standing,
}

/// How the limits stand, and when to come back.
#[derive(Clone, Debug)]
pub struct Refused {
    standing: Standing,
    retry: Retry,
    retry_after: Option<Duration>,
}

/// One limit that applied to a request, and how it stands.
#[derive(Clone, Copy, Debug)]
pub struct LimitStanding<'a> {
    limit: &'a PolicyLimit,
    reading: &'a Reading,
}

#[derive(Clone, Debug)]
struct Standing {
    policy: Arc<Policy>,
    readings: Readings,
}

// === impl Decision ===

impl Decision {
    pub(crate) fn new(policy: Arc<Policy>, readings: Readings, jitter: &Jitter) -> Self {
        let standing = Standing { policy, readings };
        let longest = standing
            .violations()
            .filter_map(|limit| limit.reading.refusal())
            .max();
        match longest {
            None => Self::Admitted(Admitted { standing }),
            Some(retry) => {
                let retry_after = retry_after(retry, jitter);
                Self::Refused(Refused {
                    standing,
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
        &self.standing().policy
    }

    /// Every limit that applied, shadows included, and how it stands.
    pub fn limits(&self) -> impl Iterator<Item = LimitStanding<'_>> {
        self.standing().limits()
    }

    fn standing(&self) -> &Standing {
        match self {
            Self::Admitted(admitted) => &admitted.standing,
            Self::Refused(refused) => &refused.standing,
        }
    }
}

// === impl Refused ===

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
        self.standing
            .violations()
            .map(|violation| violation.limit.name())
    }
}

// === impl LimitStanding ===

impl<'a> LimitStanding<'a> {
    /// The limit.
    #[must_use]
    pub const fn limit(&self) -> &'a PolicyLimit {
        self.limit
    }

    /// How it stands.
    #[must_use]
    pub const fn reading(&self) -> &'a Reading {
        self.reading
    }

    /// Whether less than a tenth of the burst is left.
    #[must_use]
    pub fn is_near_limit(&self) -> bool {
        let (remaining, burst) = (self.reading.remaining(), self.limit.limit().burst());
        u64::from(remaining) * 10 < u64::from(burst)
    }
}

// === impl Standing ===

impl Standing {
    fn limits(&self) -> impl Iterator<Item = LimitStanding<'_>> {
        self.policy
            .limits()
            .iter()
            .enumerate()
            .filter_map(|(position, limit)| {
                Some(LimitStanding {
                    limit,
                    reading: self.readings.at(position)?,
                })
            })
    }

    fn enforced(&self) -> impl Iterator<Item = LimitStanding<'_>> {
        self.limits()
            .filter(|standing| standing.limit.is_enforced())
    }

    fn violations(&self) -> impl Iterator<Item = LimitStanding<'_>> {
        self.enforced()
            .filter(|standing| standing.reading.refusal().is_some())
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

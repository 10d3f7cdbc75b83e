//! Admitted or refused, and what an answer says about it.

mod fields;
mod problem;

use std::{num::NonZeroU64, sync::Arc, time::Duration};

use crate::{
    bucket::Retry,
    error::CheckError,
    jitter::Jitter,
    limiter::RateLimiter,
    policy::{LimitName, Policy, PolicyLimit},
    request::RateLimitRequest,
    store::{ChargeOutcome, LimitStatus, Source},
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
    /// In seconds.
    retry_after: Option<NonZeroU64>,
}

/// A policy, the status of each of its limits, and what the request has taken of each.
#[derive(Clone, Debug)]
struct Limits {
    policy: Arc<Policy>,
    /// As long as the words around it: a decision is moved as such, and to read a whole one where half of
    /// one was just written would take the processor longer than most of a check.
    taken: u64,
    outcome: ChargeOutcome,
}

impl Decision {
    /// Of a request that has taken so many tokens by all its charges.
    #[inline]
    pub(crate) fn admitted(policy: Arc<Policy>, outcome: ChargeOutcome, taken: u32) -> Self {
        Self::Admitted(Admitted {
            limits: Limits::new(policy, outcome, taken),
        })
    }

    /// Of a request that has taken so many tokens by an earlier charge.
    pub(crate) fn refused(
        policy: Arc<Policy>,
        outcome: ChargeOutcome,
        taken: u32,
        jitter: &Jitter,
    ) -> Self {
        let retry_after = retry_after(longest_wait(&policy, &outcome), jitter);
        Self::Refused(Refused {
            limits: Limits::new(policy, outcome, taken),
            retry_after,
        })
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

    /// Which kind of store decided.
    #[must_use]
    pub fn source(&self) -> Source {
        self.checked().outcome.source()
    }

    /// Every limit that applied, shadows included, and its status.
    pub fn limits(&self) -> impl Iterator<Item = (&PolicyLimit, LimitStatus<'_>)> {
        self.checked().all()
    }

    /// The most tokens that [`Admitted::charge_more`] would take of the request beyond what it has
    /// taken, if nothing else were charged meanwhile; `None` where nothing is enforced. Work that
    /// costs more than this need not be begun.
    #[must_use]
    pub fn affordable(&self) -> Option<u32> {
        self.checked().affordable()
    }

    const fn checked(&self) -> &Limits {
        match self {
            Self::Admitted(admitted) => &admitted.limits,
            Self::Refused(refused) => &refused.limits,
        }
    }
}

impl Admitted {
    /// The tokens that the request has taken of each limit, by all its charges.
    #[must_use]
    pub fn taken(&self) -> u32 {
        self.limits.taken()
    }

    /// The most tokens that [`charge_more`](Self::charge_more) would take, as
    /// [`Decision::affordable`] says.
    #[must_use]
    pub fn affordable(&self) -> Option<u32> {
        self.limits.affordable()
    }

    /// Charges the rest of what a request costs, once it is known: the cost of `request`, which is
    /// the one that was admitted, on top of what was taken at first.
    ///
    /// Both charges together admit what one of their sum would have; with
    /// [debt](crate::policy::Limit::with_debt), a sum above the burst is admitted if the burst was
    /// free before the first. If the rest is refused, the first charge is kept, nothing is added to
    /// it, and the refusal says when the whole request, sent again, would be admitted. Under
    /// policies that were replaced in between, the request is still charged by those that it was
    /// admitted by.
    ///
    /// A cost of zero is admitted without asking the store.
    ///
    /// ```
    /// # use std::{num::NonZeroUsize, sync::Arc};
    /// # use portcullis_ratelimit::{
    /// #     Category, Decision, RateLimitRequest, RateLimiter, Tier,
    /// #     policy::{Limit, Policies, Rate, Rule},
    /// #     store::{MemoryStore, WhenFull},
    /// # };
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let limit = Limit::new(Rate::tokens_per_second(10), 20)?.with_debt(1_000)?;
    /// let rules = Policies::builder().category(Tier::FREE, Category::INGEST, Rule::new(limit));
    /// # let capacity = NonZeroUsize::new(100).ok_or("above zero")?;
    /// # let limiter = RateLimiter::builder()
    /// #     .policies(rules.build()?)
    /// #     .store(Arc::new(MemoryStore::new(capacity, WhenFull::SharedOverflow)))
    /// #     .build()?;
    /// // One token before the body is read, the rest when its events are counted.
    /// let request = RateLimitRequest::new("acme", &Tier::FREE, &Category::INGEST).more_to_come();
    /// let Decision::Admitted(admitted) = limiter.check(&request).await? else {
    ///     return Err("the burst is free".into());
    /// };
    /// let rest = RateLimitRequest::new("acme", &Tier::FREE, &Category::INGEST).with_cost(499);
    /// assert!(admitted.charge_more(&limiter, &rest).await?.is_admitted());
    /// assert!(!limiter.check(&request).await?.is_admitted()); // for about 48 seconds
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The store did not decide, or what was admitted was an address and no request.
    pub async fn charge_more(
        &self,
        limiter: &RateLimiter,
        request: &RateLimitRequest<'_>,
    ) -> Result<Decision, CheckError> {
        let Limits {
            policy, outcome, ..
        } = &self.limits;
        let before = self.taken();
        limiter.charge_rest(policy, outcome, before, request).await
    }
}

impl Refused {
    /// When the request would be admitted if nothing else were: the longest wait of all limits, to
    /// the microsecond. If it was refused at its second charge, this is about the whole request,
    /// sent again.
    #[must_use]
    pub fn retry(&self) -> Retry {
        longest_wait(&self.limits.policy, &self.limits.outcome)
    }

    /// What `Retry-After` says: whole seconds, at least one, never before [`retry`](Self::retry),
    /// and up to a quarter later so that clients do not all come back at once. `None` where
    /// trying again is of no use.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds = self.retry_after?;
        Some(Duration::from_secs(seconds.get()))
    }

    /// The names of the enforced limits that had no room.
    pub fn violated(&self) -> impl Iterator<Item = &LimitName> {
        self.limits.violated().map(|(limit, _)| limit.name())
    }
}

impl Limits {
    #[inline]
    fn new(policy: Arc<Policy>, outcome: ChargeOutcome, taken: u32) -> Self {
        let taken = u64::from(taken);
        Self {
            policy,
            taken,
            outcome,
        }
    }

    fn taken(&self) -> u32 {
        u32::try_from(self.taken).unwrap_or(u32::MAX)
    }

    fn affordable(&self) -> Option<u32> {
        let taken = self.taken();
        let affordable = self.enforced().map(|(_, status)| status.affordable(taken));
        affordable.min()
    }

    fn all(&self) -> impl Iterator<Item = (&PolicyLimit, LimitStatus<'_>)> {
        self.outcome.statuses(&self.policy)
    }

    fn enforced(&self) -> impl Iterator<Item = (&PolicyLimit, LimitStatus<'_>)> {
        enforced(&self.policy, &self.outcome)
    }

    fn violated(&self) -> impl Iterator<Item = (&PolicyLimit, LimitStatus<'_>)> {
        self.enforced().filter(|(_, status)| status.is_refusal())
    }
}

#[inline]
fn enforced<'a>(
    policy: &'a Policy,
    outcome: &'a ChargeOutcome,
) -> impl Iterator<Item = (&'a PolicyLimit, LimitStatus<'a>)> {
    outcome
        .statuses(policy)
        .filter(|(limit, _)| limit.is_enforced())
}

/// The longest wait of all enforced limits, those included that would refuse the request sent again.
fn longest_wait(policy: &Policy, outcome: &ChargeOutcome) -> Retry {
    let waits = enforced(policy, outcome).filter_map(|(_, status)| status.retry());
    waits.max().unwrap_or(Retry::After(Duration::ZERO))
}

/// Seconds, at least one, unless trying again is of no use.
fn retry_after(retry: Retry, jitter: &Jitter) -> Option<NonZeroU64> {
    match retry {
        Retry::After(wait) => NonZeroU64::new(jitter.lengthen(ceil_seconds(wait).max(1))),
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

//! The date that retention goes by: a clock that jumps ahead takes nothing away.

use std::{sync::Mutex, sync::PoisonError, time::Duration};

use crate::{
    clock::{Clock, timestamp},
    event::Timestamp,
    store::{Store, StoreError, time_of},
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A date that is later than a log can vouch for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClockAhead {
    /// What the clock says.
    pub clock: Timestamp,
    /// What was taken for now.
    pub trusted: Timestamp,
}

/// What was known of time when a log was opened, before this process wrote to it.
#[derive(Debug)]
pub(super) struct TrustedTime {
    /// That of the last leaf; none in an empty log.
    last: Option<Timestamp>,
    clock: Timestamp,
    monotonic: Duration,
    /// When it was last told that the clock is ahead.
    told: Mutex<Option<Duration>>,
}

impl TrustedTime {
    pub(super) async fn of(store: &dyn Store, clock: &dyn Clock) -> Result<Self, StoreError> {
        Ok(Self {
            last: last_time(store).await?,
            clock: timestamp(clock),
            monotonic: clock.monotonic(),
            told: Mutex::default(),
        })
    }

    /// What is now at most: the last leaf, the time that this process has lived since, and a day. A log that was empty
    /// goes by `other`, or without it by what the clock said when it was opened.
    pub(super) fn now(
        &self,
        clock: &dyn Clock,
        other: Option<Timestamp>,
    ) -> (Timestamp, Option<ClockAhead>) {
        let since = self.last.or(other).unwrap_or(self.clock);
        let lived = clock.monotonic().saturating_sub(self.monotonic) + DAY;
        let lived = u64::try_from(lived.as_micros()).unwrap_or(u64::MAX);
        let most = since.unix_micros().saturating_add(lived);
        let most = Timestamp::from_unix_micros(most).unwrap_or(Timestamp::MAX);
        let clock = timestamp(clock);
        if clock <= most {
            return (clock, None);
        }
        let trusted = most;
        (trusted, Some(ClockAhead { clock, trusted }))
    }

    /// Whether it is to be told: once a day.
    pub(super) fn is_news(&self, clock: &dyn Clock) -> bool {
        let now = clock.monotonic();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = told.is_none_or(|told| now.saturating_sub(told) >= DAY);
        if is_news {
            *told = Some(now);
        }
        is_news
    }
}

/// The time of the last leaf, if one is left.
pub(super) async fn last_time(store: &dyn Store) -> Result<Option<Timestamp>, StoreError> {
    let Some(last) = store.size().await?.checked_sub(1) else {
        return Ok(None);
    };
    match time_of(store, last).await {
        Err(StoreError::Pruned { .. }) => Ok(None),
        time => time,
    }
}

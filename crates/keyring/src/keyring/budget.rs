//! How many calls of the key-encryption key there may be.

use std::{
    collections::VecDeque,
    num::{NonZeroU32, NonZeroUsize},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time,
};

use crate::clock::Clock;

/// How many calls may run at once, and how many may begin in a second.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallLimits {
    pub(super) at_once: NonZeroUsize,
    pub(super) per_second: NonZeroU32,
}

/// A key-encryption key behind a network is metered and shared by many: its quota is not spent by one
/// service that has just started, nor by somebody who makes it ask.
#[derive(Debug)]
pub(super) struct Budget {
    running: Semaphore,
    limits: CallLimits,
    // One for each call that began in the last second, or has been promised its time; `None` without
    // a limit. Never more than `per_second` and one for each that runs.
    starts: Option<Mutex<VecDeque<Duration>>>,
    clock: Arc<dyn Clock>,
}

/// The budget was used up, and stayed so.
#[derive(Debug, thiserror::Error)]
#[error(
    "the budget of calls to the key-encryption key ({} at once, {} a second) was used up for {} s: \
     fewer keys have to be in use, or the budget has to be larger",
    _0.at_once, _0.per_second, MAX_WAIT.as_secs()
)]
pub(super) struct Exhausted(CallLimits);

impl Budget {
    pub(super) fn new(limits: CallLimits, is_local: bool, clock: Arc<dyn Clock>) -> Self {
        let permits = limits.at_once.get().min(Semaphore::MAX_PERMITS);
        Self {
            running: Semaphore::new(permits),
            limits,
            starts: (!is_local).then(Mutex::default),
            clock,
        }
    }

    /// Waits for its turn, at most [`MAX_WAIT`] for a permit and a start together. The call may run for as long as
    /// the permit is held.
    pub(super) async fn enter(&self) -> Result<SemaphorePermit<'_>, Exhausted> {
        let exhausted = || Exhausted(self.limits);
        let came = self.clock.monotonic();
        let permit = match self.running.try_acquire() {
            Ok(permit) => permit,
            // Those who wait are served in the order in which they came.
            Err(_) => time::timeout(MAX_WAIT, self.running.acquire())
                .await
                .ok()
                .and_then(Result::ok)
                .ok_or_else(exhausted)?,
        };
        let wait = self.reserve(came + MAX_WAIT).ok_or_else(exhausted)?;
        if !wait.is_zero() {
            time::sleep(wait).await;
        }
        Ok(permit)
    }

    /// How long from now a call may begin, which is then counted; `None` if that would be after the deadline.
    fn reserve(&self, deadline: Duration) -> Option<Duration> {
        let Some(starts) = &self.starts else {
            return Some(Duration::ZERO);
        };
        let now = self.clock.monotonic();
        let mut starts = starts.lock().unwrap_or_else(PoisonError::into_inner);
        while starts.front().is_some_and(|start| *start + SECOND <= now) {
            starts.pop_front();
        }
        let limit = usize::try_from(self.limits.per_second.get()).unwrap_or(usize::MAX);
        // The call before which `limit` others have begun begins a second after the first of these.
        let first = starts.len().checked_sub(limit).map(|at| starts[at]);
        let start = first.map_or(now, |first| now.max(first + SECOND));
        // Who has got a permit at the last moment may begin at once.
        (start <= deadline.max(now)).then(|| {
            starts.push_back(start);
            start - now
        })
    }
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            at_once: MAX_CALLS,
            per_second: CALLS_PER_SECOND,
        }
    }
}

const MAX_CALLS: NonZeroUsize = NonZeroUsize::new(16).expect("it is not zero");
const CALLS_PER_SECOND: NonZeroU32 = NonZeroU32::new(50).expect("it is not zero");
const MAX_WAIT: Duration = Duration::from_secs(5);
const SECOND: Duration = Duration::from_secs(1);

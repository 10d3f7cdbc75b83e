//! When a record is to be loaded again.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::{cache::nanoseconds, entropy::Entropy};

/// How long the next hit waits before it asks again for what may have failed.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The moment from which a hit has its record loaded again, in nanoseconds of the monotonic clock.
///
/// XFetch ([Vattani, Chierichetti and Lowenstein 2015](https://doi.org/10.14778/2757807.2757813)) draws a new
/// number for each request, since requests, of many processes perhaps, know nothing of each other: one of
/// them is to come first by chance, not all at once. Here one load serves all requests of a process, so it
/// is enough that processes, and keys that were loaded together, differ. One number drawn when a record is
/// loaded does that, and a hit compares two numbers instead of taking a logarithm. Alone it may be almost
/// zero, which no other request's draw makes up for, so that a part of the time before the end is certain.
#[derive(Debug)]
pub(crate) struct RefreshDue(AtomicU64);

impl RefreshDue {
    /// Draws the moment for a record that took so long to load, and is used until `until`. The gap is the
    /// time of the load, or a twentieth of the time to live if that is longer: the moment is by one gap, and
    /// an exponentially distributed time whose mean is another, before the end; by half of the time to live
    /// at most.
    pub(crate) fn draw(
        entropy: &dyn Entropy,
        until: Duration,
        took: Duration,
        time_to_live: Duration,
    ) -> Self {
        let gap = took.max(time_to_live / 20);
        let early = gap.mul_f64(1.0 + draw_exponential(entropy));
        let due = until.saturating_sub(early.min(time_to_live / 2));
        Self(AtomicU64::new(nanoseconds(due)))
    }

    /// Not before its time is over.
    pub(crate) const fn never() -> Self {
        Self(AtomicU64::new(u64::MAX))
    }

    /// Whether the moment has come, at `now` nanoseconds.
    #[inline]
    pub(crate) fn has_come(&self, now: u64) -> bool {
        now >= self.0.load(Ordering::Relaxed)
    }

    /// Whether the caller is to have it loaded: of those who ask at once, and within a second, one is.
    pub(crate) fn claim(&self, now: u64) -> bool {
        let due = self.0.load(Ordering::Relaxed);
        let next = now.saturating_add(nanoseconds(RETRY_AFTER));
        now >= due
            && self
                .0
                .compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

/// Of mean 1, and at most 23.
fn draw_exponential(entropy: &dyn Entropy) -> f64 {
    let mut random = [0; 4];
    match entropy.fill(&mut random) {
        Ok(()) => {
            let uniform = (f64::from(u32::from_be_bytes(random)) + 1.0) / 4_294_967_296.0;
            -uniform.ln()
        }
        // What is drawn only spreads loads.
        Err(_) => 1.0,
    }
}

#[cfg(test)]
mod tests;

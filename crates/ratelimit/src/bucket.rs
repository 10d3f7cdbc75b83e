use std::time::Duration;

use crate::clock::Timestamp;
use crate::limit::{Limit, Scale};

/// What one key has used of a limit: a consumed volume and when it was last counted.
///
/// This is the token bucket seen from the other side, equal to the generic cell rate algorithm
/// (ITU-T I.371): a request of cost `c` at time `now` is admitted iff
/// `max(0, V − L·Δ) + c·P ≤ burst·P`. The consumed volume rather than a time is kept because it
/// still means something when the limit changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    consumed: u64,
    last: u64,
    scale: Scale,
}

/// A [`Bucket`] as one [`Limit`] sees it at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Level<'a> {
    limit: &'a Limit,
    bucket: Bucket,
    now: Timestamp,
    /// What is left of the consumed volume once the elapsed time has drained.
    consumed: u64,
    /// The latest tick that the bucket has seen, never one before.
    tick: u64,
}

/// When a refused request would be admitted, if nothing else is admitted meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_enums,
    reason = "closed: callers answer each case on its own"
)]
pub enum Retry {
    /// After this long, and not a microsecond earlier.
    After(Duration),
    /// Never: the request costs more than the burst.
    NeverSatisfiable,
}

// === impl Bucket ===

impl Bucket {
    /// A full bucket that refills only from `since` on.
    #[must_use]
    pub fn full(limit: &Limit, since: Timestamp) -> Self {
        let scale = limit.scale();
        Self {
            consumed: 0,
            last: scale.tick.not_before(since),
            scale,
        }
    }

    /// The bucket as `limit` sees it at `now`.
    ///
    /// A bucket that was last used under another limit keeps the tokens it has consumed, at most
    /// the new burst, and drains at the new rate. If `now` lies before a time that the bucket has
    /// seen, it is taken to be that time: a clock that steps back refills nothing.
    #[must_use]
    pub fn at<'a>(self, limit: &'a Limit, now: Timestamp) -> Level<'a> {
        let scale = limit.scale();
        let (consumed, last) = if self.scale == scale {
            (self.consumed, self.last)
        } else {
            self.converted_to(scale)
        };
        let tick = last.max(scale.tick.at(now));
        let drained = u64::from(scale.units_per_tick).saturating_mul(tick - last);
        let consumed = consumed.min(limit.volume()).saturating_sub(drained);
        Level {
            limit,
            bucket: self,
            now,
            consumed,
            tick,
        }
    }

    /// The tokens still counted as used at `now` under the limit of the last charge, rounded up.
    pub(crate) fn used_at(&self, now: Timestamp) -> u64 {
        let elapsed = self.scale.tick.at(now).saturating_sub(self.last);
        let drained = u64::from(self.scale.units_per_tick).saturating_mul(elapsed);
        self.consumed
            .saturating_sub(drained)
            .div_ceil(self.scale.units_per_token.get())
    }

    /// Rounded up in volume and time, so that a change of scale never gives tokens away.
    fn converted_to(self, scale: Scale) -> (u64, u64) {
        let volume = (u128::from(self.consumed) * u128::from(scale.units_per_token.get()))
            .div_ceil(u128::from(self.scale.units_per_token.get()));
        let last = scale.tick.not_before(self.scale.tick.start_of(self.last));
        (u64::try_from(volume).unwrap_or(u64::MAX), last)
    }
}

// === impl Level ===

impl Level<'_> {
    /// The bucket after `cost` tokens were taken from it, or when that would be possible.
    ///
    /// A cost of zero is a peek: always possible, and the bucket comes back as it was.
    ///
    /// # Errors
    /// The tokens are not there: how long to wait for them.
    pub fn charge(&self, cost: u32) -> Result<Bucket, Retry> {
        if cost == 0 {
            return Ok(self.bucket);
        }
        if cost > self.limit.burst() {
            return Err(Retry::NeverSatisfiable);
        }
        let scale = self.limit.scale();
        let charged = self.consumed + u64::from(cost) * scale.units_per_token.get();
        match charged.checked_sub(self.limit.volume()) {
            None | Some(0) => Ok(Bucket {
                consumed: charged,
                last: self.tick,
                scale,
            }),
            Some(excess) => Err(Retry::After(self.time_to_drain(excess))),
        }
    }

    /// The whole tokens that can be taken at once.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        let free = self.limit.volume() - self.consumed;
        let tokens = free / self.limit.scale().units_per_token;
        u32::try_from(tokens).unwrap_or(u32::MAX)
    }

    /// How long until [`remaining`](Self::remaining) grows by one; `None` when the bucket is full.
    #[must_use]
    pub fn next_token(&self) -> Option<Duration> {
        let units_per_token = self.limit.scale().units_per_token.get();
        let excess = self.consumed.checked_sub(1)? % units_per_token + 1;
        Some(self.time_to_drain(excess))
    }

    /// From now to the first tick at which `volume` has drained.
    fn time_to_drain(&self, volume: u64) -> Duration {
        let scale = self.limit.scale();
        let ticks = volume.div_ceil(u64::from(scale.units_per_tick));
        scale
            .tick
            .start_of(self.tick.saturating_add(ticks))
            .since(self.now)
    }
}

#[cfg(test)]
mod tests;

//! The arithmetic of one token bucket: exact, in integers, and apart from where buckets are kept.
//!
//! A [`Store`](crate::store::Store) keeps a [`Bucket`] for each key, either whole or as the parts
//! that [`Bucket::new`] takes and [`Bucket::consumed`], [`Bucket::last_tick`] and
//! [`Bucket::scale`] give back. [`Bucket::at`] brings it to the present under a limit;
//! [`Level::charge`] takes tokens or says how long to wait.
//!
//! ```
//! use std::time::Duration;
//! use portcullis_ratelimit::{
//!     bucket::{Bucket, Retry},
//!     clock::Timestamp,
//!     policy::{Limit, Rate},
//! };
//!
//! let limit = Limit::new(Rate::tokens_per_second(2), 5)?;
//! let start = Timestamp::from_micros(0);
//! let bucket = Bucket::full(&limit, start);
//! let bucket = bucket.at(&limit, start).charge(4).expect("five tokens are there");
//!
//! // Kept as three numbers and a scale, and restored later.
//! let (consumed, last_tick, scale) = (bucket.consumed(), bucket.last_tick(), bucket.scale());
//! assert_eq!(consumed, 4 * scale.units_per_token().get());
//! let bucket = Bucket::new(consumed, last_tick, scale);
//!
//! let level = bucket.at(&limit, Timestamp::from_micros(500_000));
//! assert_eq!(level.remaining(), 2);
//! assert_eq!(level.charge(3), Err(Retry::After(Duration::from_millis(500))));
//! # Ok::<(), portcullis_ratelimit::policy::LimitError>(())
//! ```

mod scale;

use std::{num::NonZeroU32, time::Duration};

use crate::{clock::Timestamp, policy::Limit};

pub use self::scale::{Scale, Tick};

/// What one key has used of a limit: a consumed volume and when it was last counted.
///
/// This is the token bucket seen from the other side, equal to the generic cell rate algorithm
/// (ITU-T I.371): a request of cost `c` at time `now` is admitted iff
/// `max(0, V − L·Δ) + c·P ≤ burst·P`, where `V` is [`consumed`](Self::consumed) and `Δ` the ticks
/// since [`last_tick`](Self::last_tick). A limit [with debt](Limit::with_debt) admits a cost above
/// the burst, up to `burst + debt`, as it admits one of the whole burst: iff nothing is consumed
/// (`max(0, V − L·Δ) = 0`); `V` is `c·P` then, above `burst·P`. The consumed volume rather than a time is kept because it
/// still means something when the limit changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    consumed: u64,
    last: u64,
    scale: Scale,
}

/// A [`Bucket`] as one [`Limit`] sees it at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    /// Never: the request costs more than the burst and the debt.
    NeverSatisfiable,
}

impl Bucket {
    /// A bucket from the parts that a store kept: the consumed volume in units and the number of
    /// the tick of the last charge, both counted in `scale`.
    ///
    /// Any values are safe: a volume above what the limit may hold counts as all of that.
    #[must_use]
    pub const fn new(consumed: u64, last_tick: u64, scale: Scale) -> Self {
        Self {
            consumed,
            last: last_tick,
            scale,
        }
    }

    /// A full bucket that refills only from `since` on.
    #[must_use]
    pub const fn full(limit: &Limit, since: Timestamp) -> Self {
        let scale = limit.scale();
        Self::new(0, scale.tick().ceil(since), scale)
    }

    /// `V`: the units of volume that were consumed at the [`last_tick`](Self::last_tick).
    #[must_use]
    pub const fn consumed(&self) -> u64 {
        self.consumed
    }

    /// The tick up to which the volume has drained, counted from the origin of time.
    #[must_use]
    pub const fn last_tick(&self) -> u64 {
        self.last
    }

    /// What the volume and the tick are counted in: the scale of the limit last charged. It must
    /// be kept with them, because the limit may have another one next time.
    #[must_use]
    pub const fn scale(&self) -> Scale {
        self.scale
    }

    /// The bucket as `limit` sees it at `now`.
    ///
    /// A bucket that was last used under another limit keeps the tokens it has consumed, at most
    /// the new burst and debt, and drains at the new rate. If `now` lies before a time that the bucket has
    /// seen, it is taken to be that time: a clock that steps back refills nothing.
    #[must_use]
    #[inline]
    pub fn at<'a>(self, limit: &'a Limit, now: Timestamp) -> Level<'a> {
        let scale = limit.scale();
        let (consumed, last) = if self.scale == scale {
            (self.consumed, self.last)
        } else {
            self.converted_to(scale)
        };
        let tick = last.max(scale.tick().floor(now));
        let drained = scale.drained_in(tick - last);
        let consumed = consumed.min(limit.most_volume()).saturating_sub(drained);
        Level {
            limit,
            bucket: self,
            now,
            consumed,
            tick,
        }
    }

    /// The tokens still counted as used at `now` under the limit of the last charge, rounded up.
    /// At zero the bucket is full, and forgetting it loses nothing while time does not step back.
    #[must_use]
    pub fn used_at(&self, now: Timestamp) -> u64 {
        let elapsed = self.scale.tick().floor(now).saturating_sub(self.last);
        self.consumed
            .saturating_sub(self.scale.drained_in(elapsed))
            .div_ceil(self.scale.units_per_token().get())
    }

    /// Rounded up in volume and time, so that a change of scale never gives tokens away.
    #[cold]
    fn converted_to(self, scale: Scale) -> (u64, u64) {
        let volume = (u128::from(self.consumed) * u128::from(scale.units_per_token().get()))
            .div_ceil(u128::from(self.scale.units_per_token().get()));
        let last = scale.tick().ceil(self.scale.tick().start_of(self.last));
        (u64::try_from(volume).unwrap_or(u64::MAX), last)
    }
}

impl Level<'_> {
    /// Whether `cost` tokens can be taken, without taking them. A cost of zero always can.
    ///
    /// # Errors
    /// The tokens are not there: how long to wait for them.
    pub fn check(&self, cost: u32) -> Result<(), Retry> {
        self.charge(cost).map(drop)
    }

    /// The bucket after `cost` tokens were taken from it, or when that would be possible.
    ///
    /// A cost of zero is a peek: always possible, and the bucket comes back as it was.
    ///
    /// # Errors
    /// The tokens are not there: how long to wait for them.
    pub fn charge(&self, cost: u32) -> Result<Bucket, Retry> {
        self.charge_more(0, cost)
    }

    /// The bucket after `cost` more tokens were taken for a request that has taken `before`
    /// already, or when all of them, `before + cost`, could be taken if none were yet.
    ///
    /// Together the charges admit what one charge of the sum would have: a sum above the burst is
    /// admitted iff nothing but `before` is consumed, so that the request's own first charge does
    /// not stand in its way. The bucket never holds more than [`Limit::most_volume`].
    ///
    /// # Errors
    /// The tokens are not there: how long to wait until the whole request, sent again, is admitted.
    #[inline]
    pub fn charge_more(&self, before: u32, cost: u32) -> Result<Bucket, Retry> {
        if cost == 0 {
            return Ok(self.bucket);
        }
        let scale = self.limit.scale();
        let (before, cost) = (scale.volume_of(before), scale.volume_of(cost));
        let (whole, burst) = (before.saturating_add(cost), self.limit.volume());
        if whole > self.limit.most_volume() {
            return Err(Retry::NeverSatisfiable);
        }
        let charged = self.consumed + cost;
        let has_room = if whole > burst {
            self.consumed <= before
        } else {
            charged <= burst
        };
        if has_room {
            return Ok(Bucket::new(charged, self.tick, scale));
        }
        // Sent again, the request needs this much free, its own first charge drained too.
        let excess = self.consumed + whole.min(burst) - burst;
        Err(Retry::After(self.time_to_drain(excess)))
    }

    /// The bucket with so many tokens more counted as taken, or fewer if below zero: never below none, and
    /// never more than the limit may hold ([`Limit::most_volume`]).
    #[must_use]
    pub fn corrected(&self, tokens: i64) -> Bucket {
        let scale = self.limit.scale();
        let per_token = scale.units_per_token().get();
        let volume = tokens.unsigned_abs().saturating_mul(per_token);
        let consumed = if tokens < 0 {
            self.consumed.saturating_sub(volume)
        } else {
            let most = self.limit.most_volume();
            self.consumed.saturating_add(volume).min(most)
        };
        Bucket::new(consumed, self.tick, scale)
    }

    /// The whole tokens that can be taken at once without debt.
    #[must_use]
    #[inline]
    pub fn remaining(&self) -> u32 {
        let free = self.limit.volume().saturating_sub(self.consumed);
        let tokens = free / self.limit.scale().units_per_token();
        u32::try_from(tokens).unwrap_or(u32::MAX)
    }

    /// How long until [`remaining`](Self::remaining) grows by one, any debt drained before;
    /// `None` when the bucket is full.
    #[must_use]
    pub fn next_token(&self) -> Option<Duration> {
        self.next_tokens(NonZeroU32::MIN)
    }

    /// How long until there is another whole number of `together` tokens; `None` when as many are there
    /// as fit in the burst.
    #[inline]
    pub(crate) fn next_tokens(&self, together: NonZeroU32) -> Option<Duration> {
        let there = self.remaining() / together;
        let then = there.checked_add(1)?.checked_mul(together.get())?;
        let used_then = self.limit.burst().checked_sub(then)?;
        let used_then = self.limit.scale().volume_of(used_then);
        Some(self.time_to_drain(self.consumed - used_then))
    }

    /// How long until the bucket is full again. A store that gives what it keeps a time to live
    /// gives it at least this long.
    #[must_use]
    pub fn time_to_full(&self) -> Duration {
        self.time_to_drain(self.consumed)
    }

    /// `max(0, V − L·Δ)`: the units of volume still consumed, in the scale of the limit.
    #[must_use]
    pub const fn consumed(&self) -> u64 {
        self.consumed
    }

    /// The tick that the volume is told at, in the scale of the limit: that of the present, or a
    /// later one that the bucket has seen.
    #[must_use]
    pub const fn tick(&self) -> u64 {
        self.tick
    }

    pub(crate) const fn limit(&self) -> &Limit {
        self.limit
    }

    /// The most tokens that could be taken beyond the `before` that a request has taken.
    pub(crate) fn affordable(&self, before: u32) -> u32 {
        if self.consumed <= self.limit.scale().volume_of(before) {
            self.limit.largest_cost().saturating_sub(before)
        } else {
            self.remaining()
        }
    }

    /// Whether less than a tenth of the burst is left in whole tokens: told without dividing, for an
    /// observer is told of it at every check.
    pub(crate) fn is_near(&self) -> bool {
        let enough = self.limit.burst().div_ceil(10);
        let free = self.limit.volume().saturating_sub(self.consumed);
        free < self.limit.scale().volume_of(enough)
    }

    /// From now to the first tick at which `volume` has drained.
    fn time_to_drain(&self, volume: u64) -> Duration {
        let scale = self.limit.scale();
        let drained = self.tick.saturating_add(scale.ticks_to_drain(volume));
        let drained = scale.tick().start_of(drained).as_micros();
        Duration::from_micros(drained.saturating_sub(self.now.as_micros()))
    }
}

#[cfg(test)]
mod tests;

use std::num::NonZeroU64;

use super::Rate;
use crate::clock::Timestamp;

/// The units that a bucket's volume and time are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Scale {
    pub(crate) units_per_token: NonZeroU64,
    pub(crate) units_per_tick: u32,
    pub(crate) tick: Tick,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Tick {
    Micros,
    Millis,
}

// === impl Scale ===

impl Scale {
    /// `rate` in lowest terms, unless its period is no whole number of ticks.
    pub(super) fn reduced(rate: Rate, tick: Tick) -> Option<Self> {
        let micros = rate.period.as_micros();
        let per_tick = u128::from(tick.micros());
        if !micros.is_multiple_of(per_tick) {
            return None;
        }
        let ticks = u64::try_from(micros / per_tick).ok()?;
        let divisor = greatest_common_divisor(ticks, u64::from(rate.tokens));
        Some(Self {
            units_per_token: NonZeroU64::new(ticks / divisor)?,
            units_per_tick: u32::try_from(u64::from(rate.tokens) / divisor).ok()?,
            tick,
        })
    }
}

// === impl Tick ===

impl Tick {
    /// Microseconds in one tick.
    pub(crate) const fn micros(self) -> u64 {
        match self {
            Self::Micros => 1,
            Self::Millis => 1_000,
        }
    }

    /// The tick that `time` falls in.
    pub(crate) const fn at(self, time: Timestamp) -> u64 {
        time.as_micros() / self.micros()
    }

    /// The first tick that does not begin before `time`.
    pub(crate) const fn not_before(self, time: Timestamp) -> u64 {
        time.as_micros().div_ceil(self.micros())
    }

    /// When `tick` begins.
    pub(crate) const fn start_of(self, tick: u64) -> Timestamp {
        Timestamp::from_micros(tick.saturating_mul(self.micros()))
    }
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

//! The integers that a bucket is counted in: units of volume and ticks of time.

use std::num::{NonZeroU32, NonZeroU64};

use crate::{clock::Timestamp, policy::Rate};

/// Microseconds in a tick.
const MICROS: u32 = 1;
const MILLIS: u32 = 1_000;

/// What one unit of volume and one tick of time are worth, for the buckets of one limit.
///
/// A token is [`units_per_token`](Self::units_per_token) units of volume (`P`), and
/// [`units_per_tick`](Self::units_per_tick) units drain each [`tick`](Self::tick) (`L`). `L / P`
/// is the limit's rate in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scale {
    units_per_token: NonZeroU64,
    units_per_tick: NonZeroU32,
    /// Microseconds. A number rather than a [`Tick`], so that a bucket is whole words to a
    /// processor, which copies those at once.
    tick: u32,
}

/// The step that time is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "closed: stores write it and read it back"
)]
pub enum Tick {
    /// A microsecond.
    Micros,
    /// A millisecond.
    Millis,
}

impl Scale {
    /// A scale as a store kept it.
    #[must_use]
    pub const fn new(units_per_token: NonZeroU64, units_per_tick: NonZeroU32, tick: Tick) -> Self {
        Self {
            units_per_token,
            units_per_tick,
            tick: match tick {
                Tick::Micros => MICROS,
                Tick::Millis => MILLIS,
            },
        }
    }

    /// `rate` in lowest terms, unless its period is not a whole number of ticks.
    pub(crate) fn reduced(rate: Rate, tick: Tick) -> Option<Self> {
        let micros = rate.period().as_micros();
        let per_tick = u128::from(tick.micros());
        if !micros.is_multiple_of(per_tick) {
            return None;
        }
        let ticks = u64::try_from(micros / per_tick).ok()?;
        let divisor = greatest_common_divisor(ticks, u64::from(rate.tokens()));
        let units_per_tick = u32::try_from(u64::from(rate.tokens()) / divisor).ok()?;
        let units_per_token = NonZeroU64::new(ticks / divisor)?;
        Some(Self::new(
            units_per_token,
            NonZeroU32::new(units_per_tick)?,
            tick,
        ))
    }

    /// `P`: the units of volume that one token is worth.
    #[must_use]
    pub const fn units_per_token(self) -> NonZeroU64 {
        self.units_per_token
    }

    /// `L`: the units of volume that drain in one tick.
    #[must_use]
    pub const fn units_per_tick(self) -> NonZeroU32 {
        self.units_per_tick
    }

    /// The step that time is counted in.
    #[must_use]
    pub const fn tick(self) -> Tick {
        match self.tick {
            MILLIS => Tick::Millis,
            _ => Tick::Micros,
        }
    }

    pub(crate) fn volume_of(self, tokens: u32) -> u64 {
        u64::from(tokens).saturating_mul(self.units_per_token.get())
    }

    /// The units that drain in so many ticks.
    pub(super) fn drained_in(self, ticks: u64) -> u64 {
        u64::from(self.units_per_tick.get()).saturating_mul(ticks)
    }

    /// The ticks in which so many units drain, rounded up.
    pub(super) fn ticks_to_drain(self, units: u64) -> u64 {
        units.div_ceil(u64::from(self.units_per_tick.get()))
    }
}

impl Tick {
    /// Microseconds in one tick.
    #[must_use]
    pub const fn micros(self) -> u64 {
        match self {
            Self::Micros => MICROS as u64,
            Self::Millis => MILLIS as u64,
        }
    }

    /// The number, counted from the origin of time, of the tick that `time` falls in.
    #[must_use]
    pub const fn floor(self, time: Timestamp) -> u64 {
        match self {
            Self::Micros => time.as_micros(),
            Self::Millis => time.as_micros() / MILLIS as u64,
        }
    }

    /// The number of the first tick that does not begin before `time`.
    #[must_use]
    pub const fn ceil(self, time: Timestamp) -> u64 {
        time.as_micros().div_ceil(self.micros())
    }

    /// When the tick with this number begins.
    #[must_use]
    pub const fn start_of(self, number: u64) -> Timestamp {
        Timestamp::from_micros(number.saturating_mul(self.micros()))
    }
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 {
        a
    } else {
        greatest_common_divisor(b, a % b)
    }
}

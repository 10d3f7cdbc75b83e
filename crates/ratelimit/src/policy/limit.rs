//! What one limit allows: a burst, the rate at which it comes back, and what it may be overdrawn by.

use std::time::Duration;

use crate::bucket::{Scale, Tick};

/// Volumes stay below this, so that the sum of two of them is exact in a double as well.
const VOLUME_BOUND: u128 = 1 << 52;

/// How many tokens come back in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    tokens: u32,
    period: Duration,
}

/// A token bucket's size and speed: a burst of tokens that refills at a [`Rate`], and the most that
/// one request may take beyond it ([`with_debt`](Self::with_debt)).
///
/// Everything is counted in integers. One token is `P` units of volume and `L` units drain each
/// tick, where `L / P` is the rate in lowest terms; a tick is a microsecond, or a millisecond
/// where microseconds would be too fine ([`Limit::scale`]). For every limit that [`Limit::new`]
/// accepts, `2 · (burst + debt) · P < 2⁵³`, so the arithmetic is exact, in a double too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limit {
    rate: Rate,
    burst: u32,
    debt: u32,
    scale: Scale,
    /// In units of the scale, worked out once.
    volume: u64,
    most_volume: u64,
}

/// Why a rate and a burst do not make a [`Limit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitError {
    /// The rate is zero tokens.
    #[error("the rate must be at least one token")]
    ZeroRate,
    /// The period is zero.
    #[error("the period must be longer than zero")]
    ZeroPeriod,
    /// The period has a fraction of a microsecond.
    #[error("the period must be a whole number of microseconds")]
    PeriodTooFine,
    /// The burst is zero tokens.
    #[error("the burst must be at least one token")]
    ZeroBurst,
    /// The burst and debt, times the period, cannot be counted exactly.
    #[error(
        "the burst is too large for so long a period; lower the burst or its debt, or shorten the \
         period"
    )]
    TooLarge,
}

impl Rate {
    /// `tokens` every `period`.
    #[must_use]
    pub const fn tokens_per(tokens: u32, period: Duration) -> Self {
        Self { tokens, period }
    }

    /// `tokens` every second.
    #[must_use]
    pub const fn tokens_per_second(tokens: u32) -> Self {
        Self::tokens_per(tokens, Duration::from_secs(1))
    }

    /// `tokens` every minute.
    #[must_use]
    pub const fn tokens_per_minute(tokens: u32) -> Self {
        Self::tokens_per(tokens, Duration::from_secs(60))
    }

    /// `tokens` every hour.
    #[must_use]
    pub const fn tokens_per_hour(tokens: u32) -> Self {
        Self::tokens_per(tokens, Duration::from_secs(3_600))
    }

    /// `tokens` every 24 hours.
    #[must_use]
    pub const fn tokens_per_day(tokens: u32) -> Self {
        Self::tokens_per(tokens, Duration::from_secs(86_400))
    }

    /// The tokens of one period.
    #[must_use]
    pub const fn tokens(self) -> u32 {
        self.tokens
    }

    /// The period.
    #[must_use]
    pub const fn period(self) -> Duration {
        self.period
    }
}

impl Limit {
    /// A bucket of `burst` tokens that refills at `rate`.
    ///
    /// # Errors
    /// Zero tokens, burst or period; a period with a fraction of a microsecond; or a burst and
    /// period whose product cannot be counted exactly (one token a day with a burst of
    /// 50,000,000 still can).
    pub fn new(rate: Rate, burst: u32) -> Result<Self, LimitError> {
        if rate.tokens == 0 {
            return Err(LimitError::ZeroRate);
        }
        if rate.period.is_zero() {
            return Err(LimitError::ZeroPeriod);
        }
        if !rate.period.as_nanos().is_multiple_of(1_000) {
            return Err(LimitError::PeriodTooFine);
        }
        if burst == 0 {
            return Err(LimitError::ZeroBurst);
        }
        Self::counted(rate, burst, 0)
    }

    /// The same limit, in whose debt one request may get: a cost above the burst, and at most
    /// `most` above it, is admitted while the whole burst is free, and charged in full. Nothing
    /// else is admitted until that has drained to below the burst again.
    ///
    /// In any window `W` a bucket admits at most `burst + rate · W + most` then, and over time
    /// exactly the rate. Zero is a limit without debt.
    ///
    /// # Errors
    /// Burst, `most` and period cannot be counted exactly.
    pub fn with_debt(self, most: u32) -> Result<Self, LimitError> {
        Self::counted(self.rate, self.burst, most)
    }

    /// In the finest ticks in which everything that a bucket may hold can be counted.
    fn counted(rate: Rate, burst: u32, debt: u32) -> Result<Self, LimitError> {
        let tokens = u128::from(burst) + u128::from(debt);
        let scale = [Tick::Micros, Tick::Millis]
            .into_iter()
            .filter_map(|tick| Scale::reduced(rate, tick))
            .find(|scale| tokens * u128::from(scale.units_per_token().get()) < VOLUME_BOUND)
            .ok_or(LimitError::TooLarge)?;
        let (volume, overdraft) = (scale.volume_of(burst), scale.volume_of(debt));
        Ok(Self {
            rate,
            burst,
            debt,
            scale,
            volume,
            most_volume: volume + overdraft,
        })
    }

    /// How fast tokens come back.
    #[must_use]
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// The tokens of a full bucket: the most that can be taken at once without debt.
    #[must_use]
    pub const fn burst(&self) -> u32 {
        self.burst
    }

    /// The most tokens that one request may take beyond the burst; zero unless
    /// [`with_debt`](Self::with_debt) says more.
    #[must_use]
    pub const fn debt(&self) -> u32 {
        self.debt
    }

    /// The most that one request may cost: the burst and the debt.
    #[must_use]
    pub const fn largest_cost(&self) -> u32 {
        self.burst.saturating_add(self.debt)
    }

    /// How long an empty bucket takes to hold its whole burst again, rounded up to a microsecond.
    #[must_use]
    pub fn refill_time(&self) -> Duration {
        let per_tick = u64::from(self.scale.units_per_tick().get());
        let ticks = self.volume().div_ceil(per_tick);
        Duration::from_micros(ticks.saturating_mul(self.scale.tick().micros()))
    }

    /// How long a bucket that holds the most it may, debt and all, takes to drain, and a tick more, which it
    /// may have begun in: after that, what was charged makes no difference.
    pub(crate) fn drain_time(&self) -> Duration {
        let per_tick = u64::from(self.scale.units_per_tick().get());
        let ticks = self.most_volume.div_ceil(per_tick).saturating_add(1);
        Duration::from_micros(ticks.saturating_mul(self.scale.tick().micros()))
    }

    /// What its buckets count in: `P` units a token, `L` units a tick, and the tick.
    #[must_use]
    pub const fn scale(&self) -> Scale {
        self.scale
    }

    /// `burst · P`: the units of volume of the whole burst.
    #[must_use]
    pub const fn volume(&self) -> u64 {
        self.volume
    }

    /// `(burst + debt) · P`: the most units of volume that a bucket may hold, below 2⁵².
    #[must_use]
    pub const fn most_volume(&self) -> u64 {
        self.most_volume
    }
}

#[cfg(test)]
mod tests;

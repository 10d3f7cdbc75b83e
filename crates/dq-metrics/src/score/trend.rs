//! Whether quality rises or falls: a short moving average against a long one.

use std::{iter::Sum, time::Duration};

use serde::Serialize;

use super::Weighed;

/// Time constant of the short average.
const SHORT: Duration = Duration::from_secs(5 * 60);

/// Time constant of the long average.
const LONG: Duration = Duration::from_secs(60 * 60);

/// Differences below this many points are noise.
const NOTABLE: f64 = 1.0;

/// The score of late against the score of the last hour.
///
/// Both are exponentially weighted over events: an event that is one time constant old weighs 1/e of
/// a new one. `None` where too little happened lately to say.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Trend {
    /// Score with a time constant of 5 minutes, 0 to 100.
    pub five_minutes: Option<f64>,
    /// Score with a time constant of 1 hour, 0 to 100.
    pub one_hour: Option<f64>,
    /// Which way it goes.
    pub direction: Option<Direction>,
}

/// Which way quality goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "closed: there is no fourth way")]
pub enum Direction {
    /// The short average is more than a point above the long one.
    Improving,
    /// The two differ by a point at most.
    Steady,
    /// The short average is more than a point below the long one.
    Worsening,
}

/// Turns running totals, read now and then, into the two averages.
#[derive(Debug)]
pub(crate) struct TrendMeter {
    /// On the monotonic clock.
    read_at: Duration,
    totals: Weighed,
    short: Average,
    long: Average,
}

/// What is left of the past, with the short and with the long time constant.
///
/// Those read at the same moment can be added up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Averages {
    short: Weighed,
    long: Weighed,
}

/// A sum in which the past fades.
#[derive(Debug)]
struct Average {
    time_constant: Duration,
    sum: Weighed,
}

impl TrendMeter {
    pub(crate) fn new(now: Duration) -> Self {
        Self {
            read_at: now,
            totals: Weighed::default(),
            short: Average::new(SHORT),
            long: Average::new(LONG),
        }
    }

    /// Takes in what was added to the totals since the last reading, as if it had come just now.
    pub(crate) fn read(&mut self, totals: Weighed, now: Duration) {
        let passed = now.saturating_sub(self.read_at);
        let added = Weighed {
            passed: totals.passed - self.totals.passed,
            judged: totals.judged - self.totals.judged,
        };
        for average in [&mut self.short, &mut self.long] {
            average.take(added, passed);
        }
        self.read_at = now;
        self.totals = totals;
    }

    pub(crate) fn averages(&self) -> Averages {
        Averages {
            short: self.short.sum,
            long: self.long.sum,
        }
    }
}

impl Averages {
    pub(crate) fn trend(self) -> Trend {
        let (short, long) = (score(self.short), score(self.long));
        Trend {
            five_minutes: short,
            one_hour: long,
            direction: short
                .zip(long)
                .map(|(short, long)| Direction::of(short - long)),
        }
    }
}

impl Sum for Averages {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            short: sum.short + one.short,
            long: sum.long + one.long,
        })
    }
}

/// The score, while what is left of the past weighs as much as one new judgement.
fn score(sum: Weighed) -> Option<f64> {
    (sum.judged >= 1.0).then(|| 100.0 * sum.passed / sum.judged)
}

impl Direction {
    pub(crate) fn of(points: f64) -> Self {
        if points > NOTABLE {
            Self::Improving
        } else if points < -NOTABLE {
            Self::Worsening
        } else {
            Self::Steady
        }
    }

    /// Text used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Improving => "improving",
            Self::Steady => "steady",
            Self::Worsening => "worsening",
        }
    }
}

impl Average {
    fn new(time_constant: Duration) -> Self {
        Self {
            time_constant,
            sum: Weighed::default(),
        }
    }

    fn take(&mut self, added: Weighed, passed: Duration) {
        let fade = (-passed.as_secs_f64() / self.time_constant.as_secs_f64()).exp();
        self.sum.passed = self.sum.passed * fade + added.passed;
        self.sum.judged = self.sum.judged * fade + added.judged;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// Feeds `minutes` of 100 events a minute of which `passing` pass, read every 10 seconds.
    fn feed(meter: &mut TrendMeter, minutes: u64, passing: f64) {
        for _ in 0..minutes * 6 {
            let now = meter.read_at + MINUTE / 6;
            let totals = Weighed {
                passed: meter.totals.passed + passing / 6.0,
                judged: meter.totals.judged + 100.0 / 6.0,
            };
            meter.read(totals, now);
        }
    }

    #[test]
    fn nothing_seen_gives_no_trend() {
        let meter = TrendMeter::new(Duration::ZERO);
        let none = Trend {
            five_minutes: None,
            one_hour: None,
            direction: None,
        };
        assert_eq!(meter.averages().trend(), none);
    }

    #[test]
    fn a_fresh_fault_shows_in_the_short_average_first() {
        let mut meter = TrendMeter::new(Duration::ZERO);
        feed(&mut meter, 600, 100.0);
        assert_eq!(meter.averages().trend().direction, Some(Direction::Steady));
        feed(&mut meter, 5, 50.0);
        let trend = meter.averages().trend();
        // One time constant into a step from 100 to 50: 50 + 50/e; for the hour, 50 + 50·e^(-1/12).
        assert!(
            (trend.five_minutes.unwrap() - 68.39).abs() < 1.0,
            "{trend:?}"
        );
        assert!((trend.one_hour.unwrap() - 96.0).abs() < 1.0, "{trend:?}");
        assert_eq!(trend.direction, Some(Direction::Worsening));
        feed(&mut meter, 120, 50.0);
        feed(&mut meter, 10, 100.0);
        assert_eq!(
            meter.averages().trend().direction,
            Some(Direction::Improving)
        );
    }

    #[test]
    fn silence_ends_the_trend_rather_than_freezing_it() {
        let mut meter = TrendMeter::new(Duration::ZERO);
        feed(&mut meter, 10, 100.0);
        let later = meter.read_at + 120 * MINUTE;
        meter.read(meter.totals, later);
        let trend = meter.averages().trend();
        assert_eq!((trend.five_minutes, trend.direction), (None, None));
        assert_eq!(trend.one_hour, Some(100.0));
    }

    #[test]
    fn a_clock_that_steps_back_fades_nothing() {
        let mut meter = TrendMeter::new(MINUTE);
        meter.read(
            Weighed {
                passed: 5.0,
                judged: 10.0,
            },
            Duration::ZERO,
        );
        assert_eq!(meter.averages().trend().five_minutes, Some(50.0));
    }
}

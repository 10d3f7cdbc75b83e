//! Hours and days of UTC, as they are counted and asked for.

use std::{fmt, num::NonZeroU32, str::FromStr};

use serde::{Serialize, Serializer};

use crate::clock::{UnixMillis, civil};

const HOUR_MILLIS: u64 = 3_600_000;
const DAY_HOURS: u32 = 24;

/// Most days that are asked for at once.
const MOST_DAYS: u32 = 366;

/// The last day that is written with four digits of a year: 9999-12-31.
const LAST_DAY: u32 = 2_932_896;

/// An hour of UTC, counted from 1970-01-01T00.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(u32);

/// A day of UTC, counted from 1970-01-01; `2026-05-01` as text and in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(u32);

/// Whole days from one to another, both included: at most 366.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Days {
    from: Day,
    to: Day,
}

/// Two days are no period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DaysError {
    /// The last day comes before the first.
    #[error("the first day comes after the last one")]
    Backwards,
    /// More than 366.
    #[error("at most 366 days can be asked for at once")]
    TooMany,
}

/// A text is no day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a day is written as in 2026-05-01, from 1970 to 9999")]
#[non_exhaustive]
pub struct ParseDayError;

impl Hour {
    /// The hour that is so many hours after 1970-01-01T00, as a store gives it back.
    pub const fn new(hours: u32) -> Self {
        Self(hours)
    }

    /// How many hours it is after 1970-01-01T00.
    pub const fn value(self) -> u32 {
        self.0
    }

    /// The hour in which this moment lies.
    pub fn of(time: UnixMillis) -> Self {
        Self(u32::try_from(time.value() / HOUR_MILLIS).unwrap_or(u32::MAX))
    }

    /// The day that it belongs to.
    pub const fn day(self) -> Day {
        Day(self.0 / DAY_HOURS)
    }
}

impl Day {
    /// The day that is so many days after 1970-01-01, as a store gives it back.
    pub const fn new(days: u32) -> Self {
        Self(days)
    }

    /// How many days it is after 1970-01-01.
    pub const fn value(self) -> u32 {
        self.0
    }

    /// The day in which this moment lies.
    pub fn of(time: UnixMillis) -> Self {
        Hour::of(time).day()
    }

    /// So many days before, or 1970-01-01.
    #[must_use]
    pub const fn before(self, days: u32) -> Self {
        Self(self.0.saturating_sub(days))
    }

    /// Its first hour.
    pub const fn first_hour(self) -> Hour {
        Hour(self.0.saturating_mul(DAY_HOURS))
    }
}

impl From<Hour> for u32 {
    fn from(hour: Hour) -> Self {
        hour.0
    }
}

impl From<Day> for u32 {
    fn from(day: Day) -> Self {
        day.0
    }
}

impl Days {
    /// From one day to another, both included.
    ///
    /// # Errors
    /// [`DaysError`] if they are in the wrong order or too far apart.
    pub const fn new(from: Day, to: Day) -> Result<Self, DaysError> {
        if from.0 > to.0 {
            return Err(DaysError::Backwards);
        }
        if to.0 - from.0 >= MOST_DAYS {
            return Err(DaysError::TooMany);
        }
        Ok(Self { from, to })
    }

    /// So many days up to this one.
    ///
    /// # Errors
    /// [`DaysError::TooMany`].
    pub fn last(days: NonZeroU32, today: Day) -> Result<Self, DaysError> {
        if days.get() > MOST_DAYS {
            return Err(DaysError::TooMany);
        }
        Self::new(today.before(days.get() - 1), today)
    }

    /// The first one.
    pub const fn from(self) -> Day {
        self.from
    }

    /// The last one.
    pub const fn to(self) -> Day {
        self.to
    }

    /// Whether this day is one of them.
    pub const fn has(self, day: Day) -> bool {
        self.from.0 <= day.0 && day.0 <= self.to.0
    }

    /// Each of them.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = Day> {
        (self.from.0..=self.to.0).map(Day)
    }

    /// Their hours: from the first one of the first day to before the first one after the last day.
    pub const fn hours(self) -> (Hour, Hour) {
        let after = Day(self.to.0.saturating_add(1));
        (self.from.first_hour(), after.first_hour())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(u64::from(self.0.min(LAST_DAY)));
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Day {
    type Err = ParseDayError;

    fn from_str(text: &str) -> Result<Self, ParseDayError> {
        let is_shaped = text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
        if text.len() != 10 || !is_shaped {
            return Err(ParseDayError);
        }
        let part = |from, to| text[from..to].parse::<u32>().map_err(|_| ParseDayError);
        let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
        let found = Self(days_since_1970(year, month, day).ok_or(ParseDayError)?);
        // The 31st of a month that has none would be another day.
        if found.to_string() == text {
            Ok(found)
        } else {
            Err(ParseDayError)
        }
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// By H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`: years begin in March.
fn days_since_1970(year: u32, month: u32, day: u32) -> Option<u32> {
    const DAYS_OF_ERA: u32 = 146_097;
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 {
        year.checked_sub(1)?
    } else {
        year
    };
    let march_month = (month + 9) % 12;
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    let year_of_era = year % 400;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (year / 400 * DAYS_OF_ERA + day_of_era).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days by GNU `date -u -d … +%s`, divided by 86,400.
    #[test]
    fn days_are_read_and_written_as_dates() {
        for (days, text) in [
            (0, "1970-01-01"),
            (11_015, "2000-02-28"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (20_454, "2026-01-01"),
            (LAST_DAY, "9999-12-31"),
        ] {
            assert_eq!(Day::new(days).to_string(), text);
            assert_eq!(text.parse(), Ok(Day::new(days)));
        }
        for text in [
            "",
            "2026-1-1",
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "1969-12-31",
            "2026/01/01",
            "2026-01-01T",
            "0000-01-01",
            "+026-01-01",
            "２026-01-1",
        ] {
            assert_eq!(text.parse::<Day>(), Err(ParseDayError), "{text}");
        }
    }

    #[test]
    fn a_period_is_whole_days_in_their_order_and_not_too_many() {
        let day = Day::new;
        let days = Days::new(day(10), day(12)).unwrap();
        assert_eq!(
            days.iter().map(Day::value).collect::<Vec<_>>(),
            [10, 11, 12]
        );
        assert_eq!(days.hours(), (Hour::new(240), Hour::new(312)));
        assert!(days.has(day(12)) && !days.has(day(13)) && !days.has(day(9)));
        assert_eq!(Days::new(day(12), day(11)), Err(DaysError::Backwards));
        assert_eq!(Days::new(day(0), day(366)), Err(DaysError::TooMany));
        let last = |days| Days::last(NonZeroU32::new(days).unwrap(), day(1_000));
        assert_eq!(last(1), Days::new(day(1_000), day(1_000)));
        assert_eq!(last(366), Days::new(day(635), day(1_000)));
        assert_eq!(last(367), Err(DaysError::TooMany));
    }

    #[test]
    fn a_moment_lies_in_one_hour_and_one_day() {
        let moment = UnixMillis::new(1_767_225_600_000 + 23 * 3_600_000 + 3_599_999);
        assert_eq!(Hour::of(moment).value(), 20_454 * 24 + 23);
        assert_eq!(Day::of(moment), Day::new(20_454));
        assert_eq!(
            Day::of(UnixMillis::new(moment.value() + 1)),
            Day::new(20_455)
        );
        assert_eq!(Hour::of(UnixMillis::new(u64::MAX)), Hour::new(u32::MAX));
    }
}

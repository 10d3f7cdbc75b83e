//! When: microseconds in UTC, in one spelling.

use std::fmt;

/// A time in UTC, to the microsecond, from 1970 to the end of 9999. As text it is RFC 3339 with six decimals and `Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

const MICROS: u64 = 1_000_000;
const DAY: u64 = 86_400;
/// Days from 1 March 0000 to 1 January 1970.
const DAYS_TO_1970: u64 = 719_468;
const DAYS_OF_400_YEARS: u64 = 146_097;

impl Timestamp {
    /// 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// The length of its text.
    pub(super) const TEXT_BYTES: usize = 27;

    /// The time so many microseconds after 1970, if it is not after 9999.
    #[must_use]
    pub const fn from_unix_micros(micros: u64) -> Option<Self> {
        if micros > Self::MAX.0 {
            return None;
        }
        Some(Self(micros))
    }

    /// Microseconds since 1970.
    #[must_use]
    pub const fn unix_micros(self) -> u64 {
        self.0
    }

    /// Seconds since 1970.
    #[must_use]
    pub const fn unix_seconds(self) -> u64 {
        self.0 / MICROS
    }

    /// Milliseconds since 1970.
    pub(super) const fn unix_millis(self) -> u64 {
        self.0 / 1_000
    }

    /// Reads `2026-01-02T03:04:05.678901Z`: always six decimals, always `Z`, no leap second.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text: &[u8; Self::TEXT_BYTES] = text.as_bytes().try_into().ok()?;
        let marks = [
            (4, b'-'),
            (7, b'-'),
            (10, b'T'),
            (13, b':'),
            (16, b':'),
            (19, b'.'),
            (26, b'Z'),
        ];
        if marks.iter().any(|(at, mark)| text[*at] != *mark) {
            return None;
        }
        let number = |at: usize, digits: usize| {
            text[at..at + digits]
                .iter()
                .try_fold(0_u64, |number, digit| {
                    digit
                        .is_ascii_digit()
                        .then(|| number * 10 + u64::from(digit - b'0'))
                })
        };
        let days = days_since_1970(number(0, 4)?, number(5, 2)?, number(8, 2)?)?;
        let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let seconds = days * DAY + hour * 3_600 + minute * 60 + second;
        Self::from_unix_micros(seconds * MICROS + number(20, 6)?)
    }

    pub(super) fn text(self) -> [u8; Self::TEXT_BYTES] {
        let seconds = self.0 / MICROS;
        let (year, month, day) = date(seconds / DAY);
        let time = seconds % DAY;
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        let numbers = [
            (0..4, year),
            (5..7, month),
            (8..10, day),
            (11..13, time / 3_600),
            (14..16, time / 60 % 60),
            (17..19, time % 60),
            (20..26, self.0 % MICROS),
        ];
        for (digits, mut number) in numbers {
            for digit in text[digits].iter_mut().rev() {
                *digit += u8::try_from(number % 10).unwrap_or(0);
                number /= 10;
            }
        }
        text
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text()
            .iter()
            .try_for_each(|byte| fmt::Write::write_char(f, char::from(*byte)))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

/// Year, month and day. A year begins in March here, so that a leap day is its last: the algorithm `civil_from_days` of
/// Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms".
const fn date(days_since_1970: u64) -> (u64, u64, u64) {
    let days = days_since_1970 + DAYS_TO_1970;
    let (era, of_era) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year + carry, month, day)
}

/// The inverse, `days_from_civil` there. `None` for a day that no month has, and before 1970.
const fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    if year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 {
        return None;
    }
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * month + 2) / 5 + day - 1;
    let days = era * DAYS_OF_400_YEARS + of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    let days = days - DAYS_TO_1970;
    // 30 February would be a day of March.
    let (_, _, same) = date(days);
    if same == day { Some(days) } else { None }
}

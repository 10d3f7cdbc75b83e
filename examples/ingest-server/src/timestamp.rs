//! RFC 3339 timestamps in UTC with milliseconds, as stored and answered.

use std::{fmt::Write as _, time::SystemTime};

use time::{Duration, OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// `2026-05-01T12:00:00.123Z`. A time whose UTC form leaves the calendar is written as if it were
/// UTC already, which is off by less than a day.
pub(crate) fn format(at: OffsetDateTime) -> String {
    Text::of(at).as_str().to_owned()
}

/// The same, without an allocation: every stored row has two or three.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text([u8; 24]);

impl Text {
    pub(crate) fn of(at: OffsetDateTime) -> Self {
        let at = at
            .checked_to_offset(UtcOffset::UTC)
            .unwrap_or_else(|| at.replace_offset(UtcOffset::UTC));
        let mut text = *b"0000-00-00T00:00:00.000Z";
        // No clock and no parser here gives a time before the year 0.
        let year = at.year().unsigned_abs();
        for (place, number) in [
            (0..4, year),
            (5..7, u8::from(at.month()).into()),
            (8..10, at.day().into()),
            (11..13, at.hour().into()),
            (14..16, at.minute().into()),
            (17..19, at.second().into()),
            (20..23, at.millisecond().into()),
        ] {
            let mut rest = number;
            for digit in text[place].iter_mut().rev() {
                *digit = b"0123456789"[rest as usize % 10];
                rest /= 10;
            }
        }
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits and signs are ASCII")
    }
}

/// Reads any RFC 3339 timestamp that has a form in UTC, by the grammar of its section 5.6 to the
/// letter. One of more than nanoseconds would be rounded, so it is none.
pub(crate) fn parse(text: &str) -> Option<OffsetDateTime> {
    // The note of that section that allows other separators is for who prints dates to people.
    if !matches!(text.as_bytes().get(10), Some(b'T' | b't')) || !is_kept(text) {
        return None;
    }
    OffsetDateTime::parse(text, &Rfc3339)
        .ok()?
        .checked_to_offset(UtcOffset::UTC)
        .filter(|at| (0..=9_999).contains(&at.year()))
}

/// Whether the digits after the point are at most nine, or zeros from there on.
fn is_kept(text: &str) -> bool {
    let fraction = text.split_once('.').map_or("", |(_, rest)| rest);
    let digits = fraction.split(|sign: char| !sign.is_ascii_digit()).next();
    digits.is_none_or(|digits| digits.trim_end_matches('0').len() <= 9)
}

/// The same time, or the end of the years 0 to 9999, which RFC 3339 can say, that it lies beyond.
pub(crate) fn from_system(at: SystemTime) -> OffsetDateTime {
    let exact = |length: std::time::Duration| length.try_into().unwrap_or(Duration::MAX);
    let epoch = OffsetDateTime::UNIX_EPOCH;
    match at.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => epoch.saturating_add(exact(after)),
        Err(before) => epoch.saturating_sub(exact(before.duration()).min(YEAR_0_TO_1970)),
    }
}

/// A time that was stored, as text; none where the start of 1970 stands for one that was not.
pub(crate) fn known(at: SystemTime) -> Option<String> {
    (at != SystemTime::UNIX_EPOCH).then(|| format(from_system(at)))
}

const YEAR_0_TO_1970: Duration = Duration::seconds(62_167_219_200);

/// The length of every date of HTTP in a year of four digits.
const HTTP_DATE: usize = 29;

/// `Sun, 06 Nov 1994 08:49:37 GMT`, the date of HTTP (RFC 9110, 5.6.7).
pub(crate) fn format_http(at: OffsetDateTime) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let mut text = String::with_capacity(HTTP_DATE);
    // Text takes whatever is written to it.
    let _ = write!(
        text,
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
        DAYS[usize::from(at.weekday().number_days_from_monday())],
        at.day(),
        MONTHS[usize::from(u8::from(at.month())) - 1],
        at.year(),
        at.hour(),
        at.minute(),
        at.second(),
    );
    text
}

#[cfg(test)]
mod tests {
    use time::PrimitiveDateTime;

    use super::*;

    #[test]
    fn a_time_that_has_no_form_in_utc_is_refused() {
        for text in [
            "9999-12-31T23:59:59-01:00",
            "9999-12-31T23:59:59-23:59",
            "0000-01-01T00:00:00+00:01",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        for text in ["9999-12-31T23:59:59.999Z", "0000-01-01T00:00:00.000Z"] {
            assert_eq!(parse(text).map(format).as_deref(), Some(text));
        }
        let other = parse("2026-05-01T12:00:00.5+02:00").map(format);
        assert_eq!(other.as_deref(), Some("2026-05-01T10:00:00.500Z"));
    }

    #[test]
    fn the_date_of_http_is_that_of_its_specification() {
        let at = |text| format_http(parse(text).unwrap());
        // RFC 9110, 5.6.7.
        assert_eq!(at("1994-11-06T08:49:37Z"), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(at("9999-12-31T23:59:59Z"), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(at("1966-01-02T03:04:05Z"), "Sun, 02 Jan 1966 03:04:05 GMT");
    }

    #[test]
    fn the_grammar_is_kept_to_the_letter() {
        for text in [
            "2026-05-01T12:00:00Z",
            "2026-05-01t12:00:00z",
            "2026-05-01T12:00:00.1Z",
            "2026-05-01T12:00:00.123456789+00:00",
            "2026-05-01T12:00:00.100000000000Z",
            "2026-05-01T12:00:00-00:00",
            "2026-05-01T12:00:00+23:59",
            "2016-12-31T23:59:60Z",
            "2017-01-01T05:29:60+05:30",
            "2024-02-29T00:00:00Z",
        ] {
            assert!(parse(text).is_some(), "{text}");
        }
        for text in [
            "2026-11-25_18:02:13Z",
            "2026-11-25 18:02:13Z",
            "2026-11-25\u{a0}18:02:13Z",
            "2026-11-2518:02:13Z",
            "2026-05-01T12:00:00.0000000001Z",
            "2026-05-01T12:00:00",
            "2026-05-01T12:00Z",
            "2026-05-01T12:00:00.Z",
            "2026-05-01T12:00:00,5Z",
            "2026-05-01T12:00:00+0200",
            "2026-05-01T12:00:00+02",
            "2026-05-01T12:00:00+24:00",
            "2026-05-01T12:00:00+02:60",
            "2026-05-01T12:00:60Z",
            "2026-05-01T24:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-5-1T12:00:00Z",
            "+2026-05-01T12:00:00Z",
            " 2026-05-01T12:00:00Z",
            "2026-05-01T12:00:00Z ",
            "2026-05-01",
            "1777636800",
            "",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_time_has_a_text() {
        let last = UtcOffset::from_hms(-23, -59, 0).unwrap();
        let last = PrimitiveDateTime::MAX.assume_offset(last);
        assert_eq!(format(last), "9999-12-31T23:59:59.999Z");
        let beyond = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1 << 50);
        assert_eq!(format(from_system(beyond)), "9999-12-31T23:59:59.999Z");
        let before = SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(1);
        assert_eq!(format(from_system(before)), "1969-12-31T23:59:59.000Z");
        let before = SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(1 << 50);
        assert_eq!(format(from_system(before)), "0000-01-01T00:00:00.000Z");
    }
}

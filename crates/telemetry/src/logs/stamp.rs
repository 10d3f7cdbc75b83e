//! Timestamps of log lines.

use std::{
    cell::RefCell,
    time::{Duration, SystemTime},
};

use time::OffsetDateTime;

use super::text::push_formatted;

/// Appends RFC 3339 in UTC with microseconds. A clock that is set beyond the years 0 to 9999, which
/// the format cannot say, reads as their first or last moment.
///
/// Lines come many in a second: what they have in common is formatted for the first of them.
pub(super) fn push(text: &mut String, at: SystemTime) {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).ok();
    let Some(since) = since.filter(|since| since.as_secs() <= SECONDS_AFTER) else {
        push_second(text, calendar(at));
        push_micros(text, calendar(at).microsecond());
        return;
    };
    let pushed = SECOND.try_with(|second| {
        let mut second = second.borrow_mut();
        if second.number != Some(since.as_secs()) {
            second.text.clear();
            push_second(&mut second.text, calendar(at));
            second.number = Some(since.as_secs());
        }
        text.push_str(&second.text);
    });
    if pushed.is_err() {
        // A thread that ends has forgotten it.
        push_second(text, calendar(at));
    }
    push_micros(text, since.subsec_micros());
}

/// The text of the second that this thread wrote last.
struct Second {
    number: Option<u64>,
    text: String,
}

thread_local! {
    static SECOND: RefCell<Second> = const { RefCell::new(Second { number: None, text: String::new() }) };
}

fn push_second(text: &mut String, at: OffsetDateTime) {
    let (date, time) = (at.date(), at.time());
    push_formatted(
        text,
        format_args!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.",
            date.year(),
            u8::from(date.month()),
            date.day(),
            time.hour(),
            time.minute(),
            time.second(),
        ),
    );
}

fn push_micros(text: &mut String, micros: u32) {
    let mut rest = micros;
    let mut digits = [0; 6];
    for digit in digits.iter_mut().rev() {
        *digit = rest % 10;
        rest /= 10;
    }
    text.extend(
        digits
            .iter()
            .filter_map(|digit| char::from_digit(*digit, 10)),
    );
    text.push('Z');
}

/// Seconds from 1970 to the end of 9999, and from the beginning of 0000 to 1970.
const SECONDS_AFTER: u64 = 253_402_300_799;
const SECONDS_BEFORE: u64 = 62_167_219_200;

fn calendar(at: SystemTime) -> OffsetDateTime {
    let epoch = SystemTime::UNIX_EPOCH;
    let bounded = match at.duration_since(epoch) {
        Ok(after) => epoch + after.min(Duration::new(SECONDS_AFTER, 999_999_999)),
        Err(before) => epoch - before.duration().min(Duration::from_secs(SECONDS_BEFORE)),
    };
    OffsetDateTime::from(bounded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_of_a_clock_has_a_stamp() {
        let epoch = SystemTime::UNIX_EPOCH;
        let seconds = Duration::from_secs;
        let far = seconds(1 << 60);
        let cases = [
            (epoch, "1970-01-01T00:00:00.000000Z"),
            (
                epoch - Duration::from_micros(1),
                "1969-12-31T23:59:59.999999Z",
            ),
            (epoch + seconds(1 << 31), "2038-01-19T03:14:08.000000Z"),
            (
                epoch + seconds(SECONDS_AFTER),
                "9999-12-31T23:59:59.000000Z",
            ),
            (
                epoch + seconds(SECONDS_AFTER + 1),
                "9999-12-31T23:59:59.999999Z",
            ),
            (epoch + far, "9999-12-31T23:59:59.999999Z"),
            (
                epoch - seconds(SECONDS_BEFORE + 1),
                "0000-01-01T00:00:00.000000Z",
            ),
            (epoch - far, "0000-01-01T00:00:00.000000Z"),
        ];
        for (at, expected) in cases {
            let mut text = String::new();
            push(&mut text, at);
            assert_eq!(text, expected);
        }
    }
}

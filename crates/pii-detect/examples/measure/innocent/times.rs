//! Points in time, as programs write them.

use super::{Innocent, field};
use crate::random::Random;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const ZONES: [&str; 8] = [
    "Z", "+00:00", "+02:00", "-03:00", "+0530", "-0800", "+09:00", "+05:45",
];

pub(super) const ALL: &[Innocent] = &[
    field("timestamp in seconds", "created", |random| {
        let seconds = seconds(random);
        match random.index(3) {
            0 => format!("{seconds}.{}", random.digits(6)),
            _ => seconds.to_string(),
        }
    }),
    field("timestamp in ms", "ts", |random| {
        format!("{}{}", seconds(random), random.digits(3))
    }),
    field("timestamp in µs", "ts", |random| {
        format!("{}{}", seconds(random), random.digits(6))
    }),
    field("timestamp in ns", "time_unix_nano", |random| {
        format!("{}{}", seconds(random), random.digits(9))
    }),
    field("ISO 8601", "created_at", |random| {
        let (date, time, zone) = (date(random, "-"), time(random, ":"), random.pick(&ZONES));
        match random.index(5) {
            0 => date,
            1 => format!("{date} {time}.{}{zone}", random.digits(3)),
            2 => format!("{date}T{time}.{}{zone}", random.digits(9)),
            3 => format!("{date}T{time}Z/{date}T{time}Z"),
            _ => format!("{date}T{time}{zone}"),
        }
    }),
    field("RFC 2822 and logs", "date", |random| {
        let (day, month, year) = (
            random.within(1, 28),
            random.pick(&MONTHS),
            random.within(1999, 2030),
        );
        let (weekday, time) = (random.pick(&DAYS), time(random, ":"));
        match random.index(4) {
            0 => format!("{weekday}, {day:02} {month} {year} {time} GMT"),
            1 => format!("{day:02}/{month}/{year}:{time} +0000"),
            2 => format!("{weekday} {month} {day:2} {time} {year}"),
            _ => format!("{weekday}, {day} {month} {year} {time} +0200"),
        }
    }),
    field("compact time", "partition", |random| {
        let (date, time) = (date(random, ""), time(random, ""));
        match random.index(5) {
            0 => date,
            1 => format!("{date}{time}"),
            2 => format!("{date}T{time}Z"),
            3 => format!("{date}-{time}"),
            _ => format!("{date}{time}{}", random.digits(3)),
        }
    }),
    field("local date", "due", |random| {
        let (day, month, year) = (
            random.within(1, 28),
            random.within(1, 12),
            random.within(1950, 2030),
        );
        let (hour, minute) = (random.within(0, 23), random.within(0, 59));
        match random.index(4) {
            0 => format!("{day:02}/{month:02}/{year}"),
            1 => format!("{day:02}.{month:02}.{year} {hour:02}:{minute:02}"),
            2 => format!("{month}/{day}/{year} {hour:02}:{minute:02}"),
            _ => format!("{day:02}-{month:02}-{year}"),
        }
    }),
];

/// From 2001 to 2033.
fn seconds(random: &mut Random) -> u64 {
    random.within(1_000_000_000, 2_000_000_000)
}

pub(super) fn date(random: &mut Random, separator: &str) -> String {
    format!(
        "{}{separator}{:02}{separator}{:02}",
        random.within(1999, 2030),
        random.within(1, 12),
        random.within(1, 28)
    )
}

pub(super) fn time(random: &mut Random, separator: &str) -> String {
    format!(
        "{:02}{separator}{:02}{separator}{:02}",
        random.within(0, 23),
        random.within(0, 59),
        random.within(0, 59)
    )
}

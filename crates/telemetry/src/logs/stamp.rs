//! Timestamps of log lines.

use std::time::SystemTime;

use time::OffsetDateTime;

use super::text::push_formatted;

/// Appends RFC 3339 in UTC with microseconds.
pub(super) fn push(text: &mut String, at: SystemTime) {
    let at = OffsetDateTime::from(at);
    let (date, time) = (at.date(), at.time());
    push_formatted(
        text,
        format_args!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
            date.year(),
            u8::from(date.month()),
            date.day(),
            time.hour(),
            time.minute(),
            time.second(),
            time.microsecond(),
        ),
    );
}

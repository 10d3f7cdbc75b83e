use std::fmt::Write;
use std::time::SystemTime;

use time::OffsetDateTime;

/// Appends RFC 3339 in UTC with microseconds.
pub(super) fn push(text: &mut String, at: SystemTime) {
    let at = OffsetDateTime::from(at);
    let (date, time) = (at.date(), at.time());
    write!(
        text,
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second(),
        time.microsecond(),
    )
    .expect("a string takes all that is written");
}

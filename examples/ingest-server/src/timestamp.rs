//! RFC 3339 timestamps in UTC with milliseconds, as stored and answered.

use time::{OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

/// `2026-05-01T12:00:00.123Z`.
pub(crate) fn format(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.millisecond(),
    )
}

/// Reads any RFC 3339 timestamp.
pub(crate) fn parse(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

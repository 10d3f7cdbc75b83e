//! Log lines as flat JSON objects.

use tracing::Event;

use super::{
    MAX_NAME_BYTES,
    fields::{Fields, Format, Line},
    stamp,
    text::{push_escaped, push_formatted},
    trace_ids,
};

/// Names that the line itself uses: an event's field of that name cannot speak for it.
const RESERVED: [&str; 8] = [
    "ts",
    "level",
    "service",
    "target",
    "trace_id",
    "span_id",
    "suppressed",
    "truncated",
];

/// Room for the end of the line with both of its optional members.
const END_BYTES: usize = r#","suppressed":18446744073709551615,"truncated":true}"#.len() + 1;

/// Says whether the line was cut.
pub(super) fn render(text: &mut String, line: &Line<'_>, event: &Event<'_>) -> bool {
    let metadata = event.metadata();
    text.push_str(r#"{"ts":""#);
    stamp::push(text, line.at);
    text.push_str(r#"","level":""#);
    text.push_str(metadata.level().as_str());
    text.push_str(r#"","service":""#);
    push_escaped(text, line.service, MAX_NAME_BYTES);
    text.push_str(r#"","target":""#);
    push_escaped(text, metadata.target(), MAX_NAME_BYTES);
    text.push('"');
    if let Some(span) = line.span {
        trace_ids::push(text, span);
    }
    let end = line.max_bytes - END_BYTES;
    let mut fields = Fields::new(Json, text, line.redactor, end);
    event.record(&mut fields);
    let cut = fields.cut;
    if line.suppressed > 0 {
        push_formatted(text, format_args!(r#","suppressed":{}"#, line.suppressed));
    }
    if cut {
        text.push_str(r#","truncated":true"#);
    }
    text.push('}');
    cut
}

struct Json;

impl Format for Json {
    fn text(&self, line: &mut String, name: &str, value: &str, room: usize) -> bool {
        let start = line.len();
        if !push_name(line, name, room.saturating_sub(r#""""#.len())) {
            return false;
        }
        line.push('"');
        let complete = push_escaped(line, value, room - 1 - (line.len() - start));
        line.push('"');
        complete
    }

    fn number(&self, line: &mut String, name: &str, digits: &str, room: usize) -> bool {
        let has_name = push_name(line, name, room.saturating_sub(digits.len()));
        if has_name {
            line.push_str(digits);
        }
        has_name
    }
}

/// `,"name":` whole or not at all.
fn push_name(line: &mut String, name: &str, room: usize) -> bool {
    let start = line.len();
    let prefix = if RESERVED.contains(&name) {
        r#","field."#
    } else {
        r#",""#
    };
    let name = name.strip_prefix("r#").unwrap_or(name);
    if let Some(room) = room.checked_sub(prefix.len() + r#"":"#.len()) {
        line.push_str(prefix);
        if push_escaped(line, name, room) {
            line.push_str(r#"":"#);
            return true;
        }
    }
    line.truncate(start);
    false
}

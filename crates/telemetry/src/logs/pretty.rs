//! Log lines for people.

use tracing::Event;

use super::{
    MAX_NAME_BYTES,
    fields::{Fields, Format, Line, MESSAGE},
    stamp,
    text::{push_escaped, push_formatted},
};

/// Room for the mark of a cut, the count of suppressed lines and the ids.
const END_BYTES: usize = 160;

/// Says whether the line was cut.
pub(super) fn render(text: &mut String, line: &Line<'_>, event: &Event<'_>) -> bool {
    let metadata = event.metadata();
    stamp::push(text, line.at);
    push_formatted(text, format_args!(" {:>5} ", metadata.level()));
    push_escaped(text, metadata.target(), MAX_NAME_BYTES);
    text.push(':');
    let end = line.max_bytes - END_BYTES;
    let mut fields = Fields::new(Pretty, text, line.redactor, end);
    event.record(&mut fields);
    let cut = fields.cut;
    if cut {
        text.push('…');
    }
    if line.suppressed > 0 {
        push_formatted(text, format_args!(" suppressed={}", line.suppressed));
    }
    if let Some(span) = &line.span {
        push_formatted(
            text,
            format_args!(" trace_id={} span_id={}", span.trace, span.span),
        );
    }
    cut
}

struct Pretty;

impl Format for Pretty {
    fn text(&self, line: &mut String, name: &str, value: &str, room: usize) -> bool {
        let start = line.len();
        let quote = if name != MESSAGE && value.contains([' ', '"', '=']) {
            "\""
        } else {
            ""
        };
        let Some(room) = room.checked_sub(name.len() + " =\"\"".len()) else {
            return false;
        };
        line.push(' ');
        if name != MESSAGE {
            line.push_str(name);
            line.push('=');
        }
        line.push_str(quote);
        let complete = push_escaped(line, value, room - (line.len() - start).min(room));
        line.push_str(quote);
        complete
    }

    fn number(&self, line: &mut String, name: &str, digits: &str, room: usize) -> bool {
        self.text(line, name, digits, room)
    }
}

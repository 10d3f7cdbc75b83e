//! Text that is formatted and escaped within a bound.

use std::{cell::RefCell, fmt};

/// Takes at most so many bytes of what is formatted into it, then stops the formatting: the Debug
/// of a large value costs no more than what is shown of it.
struct BoundedText {
    text: String,
    max_bytes: usize,
}

thread_local! {
    /// What was formatted last, for its memory.
    static FORMATTED: RefCell<String> = const { RefCell::new(String::new()) };
}

/// What a thread keeps between two values.
const KEPT_BYTES: usize = 1024;

/// Passes on what is formatted, at most so many bytes of it.
pub(super) fn with_formatted(
    max_bytes: usize,
    arguments: fmt::Arguments<'_>,
    pass: impl FnOnce(&str),
) {
    // Taken, not borrowed: a Debug may log, and that line formats too.
    // A thread that ends keeps none.
    let mut text = FORMATTED.try_with(RefCell::take).unwrap_or_default();
    text.clear();
    let mut bounded = BoundedText { text, max_bytes };
    // It ends with an error when it is full, which is what it is for. A Debug that fails of
    // itself leaves what it had written.
    let _ = fmt::write(&mut bounded, arguments);
    let mut text = bounded.text;
    pass(&text);
    text.shrink_to(KEPT_BYTES);
    let _ = FORMATTED.try_with(|kept| kept.replace(text));
}

impl fmt::Write for BoundedText {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let room = self.max_bytes - self.text.len();
        if piece.len() <= room {
            self.text.push_str(piece);
            return Ok(());
        }
        self.text
            .push_str(&piece[..piece.floor_char_boundary(room)]);
        Err(fmt::Error)
    }
}

/// Appends `text` as the inside of a JSON string (RFC 8259, section 7) without growing by more than
/// `room` bytes. Says whether all of it had room.
pub(super) fn push_escaped(line: &mut String, text: &str, room: usize) -> bool {
    let plain = |b: u8| (b' '..=b'~').contains(&b) && b != b'"' && b != b'\\';
    // Without a way out of the loop, so that many bytes are compared at once.
    if text.len() <= room && text.bytes().fold(true, |all, byte| all & plain(byte)) {
        line.push_str(text);
        return true;
    }
    let end = line.len() + room;
    for c in text.chars() {
        let escaped = match c {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            // Line separators would split a line for some readers; the rest is not printable.
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                if line.len() + 6 > end {
                    return false;
                }
                push_formatted(line, format_args!("\\u{:04x}", u32::from(c)));
                continue;
            }
            c => {
                if line.len() + c.len_utf8() > end {
                    return false;
                }
                line.push(c);
                continue;
            }
        };
        if line.len() + escaped.len() > end {
            return false;
        }
        line.push_str(escaped);
    }
    true
}

pub(super) fn push_formatted(line: &mut String, arguments: fmt::Arguments<'_>) {
    fmt::Write::write_fmt(line, arguments).expect("a string takes all that is written");
}

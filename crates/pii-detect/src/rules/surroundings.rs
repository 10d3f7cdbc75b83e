//! What the words beside a number, and the name of its field, say that it is.

pub(super) mod names;
mod words;

use std::ops::Range;

use super::source::Source;

pub(super) use self::words::Meaning;

/// How far words are read to the left of a number: `my new mobile phone number is`.
const BEFORE_BYTES: usize = 48;
/// How far they are read behind it, in brackets: `(home phone)`.
const AFTER_CHARS: usize = 24;

/// What is said of the number in `range`: by the words before it, by a word in brackets behind it, or
/// else by the name of the field.
pub(super) fn meaning(source: &Source<'_>, range: &Range<usize>) -> Option<Meaning> {
    let before = || words_before(source.text(), range.start).and_then(names::meaning_in_prose);
    source
        .said_before(range.start, before)
        .or_else(|| in_brackets_after(source.text(), range.end).and_then(names::meaning_in_prose))
        .or_else(|| source.named())
}

/// Whether a unit stands behind a number: `1714567890 ns`.
pub(super) fn is_measured(bytes: &[u8], end: usize) -> bool {
    const UNITS: [&[u8]; 12] = [
        b"ns", b"us", b"ms", b"s", b"sec", b"secs", b"seconds", b"bytes", b"kb", b"mb", b"gb",
        b"rows",
    ];
    let rest = bytes.get(end..).unwrap_or_default();
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    if rest.starts_with("µs".as_bytes())
        || rest.starts_with("μs".as_bytes())
        || rest.starts_with(b"%")
    {
        return true;
    }
    let length = rest
        .iter()
        .take(8)
        .take_while(|b| b.is_ascii_alphabetic())
        .count();
    UNITS
        .iter()
        .any(|unit| rest[..length].eq_ignore_ascii_case(unit))
}

/// The words to the left of `end` in the same clause.
fn words_before(text: &str, end: usize) -> Option<&str> {
    let mut start = end;
    let (mut digits, mut numbers, mut words) = (0, 0, false);
    for (index, c) in text[..end].char_indices().rev() {
        if end - index > BEFORE_BYTES {
            // The word that is cut off must not be read as another one.
            let cut = text[start..end].find(|c: char| !c.is_alphanumeric())?;
            return Some(&text[start + cut..end]);
        }
        digits = if c.is_ascii_digit() { digits + 1 } else { 0 };
        numbers += usize::from(digits == 1);
        words |= c.is_alphabetic();
        if numbers > 1 {
            // A list of numbers, not a name with one in it.
            break;
        }
        if digits > 2 {
            // A number of its own, and none of its digits is a word.
            start = index + digits;
            break;
        }
        if ends_clause(text, index, c) {
            break;
        }
        start = index;
    }
    words.then(|| &text[start..end])
}

fn ends_clause(text: &str, index: usize, c: char) -> bool {
    const ABBREVIATION_CHARS: usize = 4;
    match c {
        '\n' | '\r' | ',' | ';' | '{' | '}' | '|' | '<' | '>' | '?' | '!' | '&' => true,
        // What stands in the place of a finding says nothing of the number beside it.
        '[' | ']' => true,
        '.' => {
            let sentence = text[index + 1..].starts_with(' ');
            let word = text[..index]
                .chars()
                .rev()
                .take(ABBREVIATION_CHARS + 1)
                .take_while(|c| c.is_alphanumeric());
            sentence && word.count() > ABBREVIATION_CHARS
        }
        _ => false,
    }
}

fn in_brackets_after(text: &str, end: usize) -> Option<&str> {
    let rest = &text[end..];
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    let rest = rest.strip_prefix('(')?;
    // Signs of ASCII are found without decoding what stands before them.
    let mut chars = 0;
    let mut near = rest.bytes().take_while(|byte| {
        chars += usize::from(byte & 0xc0 != 0x80);
        chars <= AFTER_CHARS
    });
    let close = near.position(|byte| byte == b')')?;
    let inside = &rest[..close];
    inside.contains(char::is_alphabetic).then_some(inside)
}

#[cfg(test)]
mod tests;

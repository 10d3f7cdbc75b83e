//! Copies of a text in which what looks the same, or decodes to the same, is the same; each knows
//! where its bytes came from.
//!
//! [`fold`] makes what looks alike alike: full-width and mathematical forms, digits of all scripts,
//! every dash and space; what cannot be seen, and marks over letters, it leaves out. [`decode`] takes
//! one coat of percent-encoding, HTML entities and backslash escapes off a folded text, and folds
//! what comes out. Both give nothing back, and allocate nothing, when they would change nothing.

mod chars;
mod copy;
mod decode;

use self::copy::Copy;

pub(crate) use self::{copy::Layer, decode::decode};

/// The folded copy of a text; `None` if it is the text itself.
pub(crate) fn fold(text: &str) -> Option<Layer> {
    if text.is_ascii() {
        return None;
    }
    let mut copy = Copy::of(text);
    let mut at = 0;
    while let Some(c) = next_beyond_ascii(text, &mut at) {
        let range = at..at + c.len_utf8();
        at = range.end;
        if PROLONGED_SOUNDS.contains(&c) && copy.last_before(range.start).is_some_and(is_digit) {
            copy.replace(range, |emit| emit('-'));
        } else if chars::is_changed(c) {
            copy.replace(range, |emit| chars::fold(c, emit));
        }
    }
    copy.finish()
}

/// The Japanese mark of a long vowel, full-width and half-width. Behind a digit it is a dash that
/// somebody typed without leaving kana.
const PROLONGED_SOUNDS: [char; 2] = ['\u{30fc}', '\u{ff70}'];

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// The first character beyond ASCII at or behind `at`, which is moved there.
fn next_beyond_ascii(text: &str, at: &mut usize) -> Option<char> {
    let rest = &text.as_bytes()[*at..];
    *at += rest.iter().position(|byte| !byte.is_ascii())?;
    text[*at..].chars().next()
}

#[cfg(test)]
mod tests;

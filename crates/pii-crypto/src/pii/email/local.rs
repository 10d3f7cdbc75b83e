//! What stands before the `@`.

use unicode_normalization::{UnicodeNormalization as _, char::decompose_compatible};
use zeroize::Zeroizing;

use crate::pii::unseen::{is_ignorable, is_mark, is_unseen};

pub(super) const MAX_BYTES: usize = 64;

/// Whether it is a `Dot-string` (RFC 5321, extended by RFC 6531), of characters that can be seen.
pub(super) fn is_valid(local: &str) -> bool {
    if !matches!(local.len(), 1..=MAX_BYTES) {
        return false;
    }
    if local.is_ascii() {
        return is_dot_string(local);
    }
    // Of the normal form too: a full-width `＠` is one.
    !local.starts_with(is_mark)
        && !local.contains(is_unseen)
        && is_dot_string(local)
        && is_dot_string(&normal(local))
}

/// The normal form.
pub(super) fn normal(local: &str) -> Zeroizing<String> {
    if local.is_ascii() {
        return Zeroizing::new(local.to_ascii_lowercase());
    }
    let room = local.len() * MOST_GROWTH;
    let mut usual = Zeroizing::new(String::with_capacity(room));
    for char in local.chars().filter(|char| !is_ignorable(*char)) {
        push_usual_width(char, &mut usual);
    }
    // Letter by letter: a text in capitals does not say where a sigma is the last of a word.
    let composed = collect(room, usual.nfc());
    let lower = composed.chars().flat_map(char::to_lowercase);
    let lower = lower.map(|char| if char == FINAL_SIGMA { SIGMA } else { char });
    let lower = collect(room, lower);
    collect(room, lower.nfc())
}

/// The forms that the rule before gave to its spellings, where they are not the normal form. What is
/// ASCII has none.
pub(super) fn former(local: &str) -> Vec<Zeroizing<String>> {
    let normal = normal(local);
    let mut forms = vec![before(local)];
    if !normal.is_ascii() {
        forms.push(normal.clone());
        if normal.contains(SIGMA) {
            // In capitals: the sigma is a final one where the word ends.
            let capitals = normal.chars();
            let capitals = capitals.map(|char| if char == SIGMA { CAPITAL_SIGMA } else { char });
            forms.push(before(&collect(normal.len(), capitals)));
        }
    }
    let mut former = Vec::<Zeroizing<String>>::with_capacity(forms.len());
    for form in forms {
        let is_current = normal.is_ascii() && form == normal;
        if !is_current && !former.contains(&form) {
            former.push(form);
        }
    }
    former
}

/// `email/1` as it was: NFC, lower case, NFC.
fn before(local: &str) -> Zeroizing<String> {
    let room = local.len() * MOST_GROWTH;
    let composed = collect(room, local.nfc());
    let lower = Zeroizing::new(composed.to_lowercase());
    collect(room, lower.nfc())
}

/// The character of usual width for a full-width or half-width one: its decomposition by one step
/// (RFC 8265, 3.3), of which the crate that decomposes takes all steps.
fn push_usual_width(char: char, text: &mut String) {
    let one_step = match char {
        '\u{ffe3}' => Some('\u{af}'),
        '\u{ffa1}'..='\u{ffdc}' => half_width_hangul(char),
        _ => None,
    };
    match (one_step, char) {
        (Some(usual), _) => text.push(usual),
        (None, '\u{ff01}'..='\u{ffee}') => decompose_compatible(char, |char| text.push(char)),
        (None, _) => text.push(char),
    }
}

/// The letters of the block that compatibility letters from U+3131 on are for, in their order.
fn half_width_hangul(char: char) -> Option<char> {
    let runs = [
        ('\u{ffa1}'..='\u{ffbe}', 0x3131),
        ('\u{ffc2}'..='\u{ffc7}', 0x314f),
        ('\u{ffca}'..='\u{ffcf}', 0x3155),
        ('\u{ffd2}'..='\u{ffd7}', 0x315b),
        ('\u{ffda}'..='\u{ffdc}', 0x3161),
    ];
    let (run, first) = runs.into_iter().find(|(run, _)| run.contains(&char))?;
    char::from_u32(first + (u32::from(char) - u32::from(*run.start())))
}

const SIGMA: char = 'σ';
const FINAL_SIGMA: char = 'ς';
const CAPITAL_SIGMA: char = 'Σ';

/// NFC has at most three times the bytes of what it is made from (UAX 15); nothing that was moved
/// stays behind unwiped.
const MOST_GROWTH: usize = 3;

fn collect(room: usize, chars: impl Iterator<Item = char>) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(room));
    text.extend(chars);
    text
}

fn is_dot_string(text: &str) -> bool {
    text.as_bytes()
        .split(|byte| *byte == b'.')
        .all(|atom| !atom.is_empty() && atom.iter().all(|byte| is_atext(*byte)))
}

/// RFC 5322, and by RFC 6531 each character that is not ASCII, of whose bytes this is one.
pub(super) const fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || !byte.is_ascii()
        || matches!(
            byte,
            b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'/' | b'=' | b'?' | b'^'..=b'`' | b'{'..=b'~'
        )
}

//! Which characters stand in an international label (RFC 5892).

use icu_properties::{
    CodePointMapData,
    props::{HangulSyllableType, Script},
};

use super::JOINERS;
use crate::pii::unseen::{is_combining_mark, is_letter_or_digit};

/// Whether a label is of letters, marks and digits, and of what is valid by exception where it stands.
/// What UTS 46 has checked, composed and put in lower case, joiners above all, is not checked again.
pub(super) fn is_valid(label: &str) -> bool {
    label.char_indices().all(|(at, char)| {
        let after = at + char.len_utf8();
        let before = label[..at].chars().next_back();
        let next = label[after..].chars().next();
        match char {
            _ if char.is_ascii() || JOINERS.contains(&char) || VALID.contains(&char) => true,
            MIDDLE_DOT => before == Some('l') && next == Some('l'),
            KERAIA => next.is_some_and(|next| script(next) == Script::Greek),
            GERESH | GERSHAYIM => before.is_some_and(|char| script(char) == Script::Hebrew),
            KATAKANA_MIDDLE_DOT => label.chars().any(is_japanese),
            _ => (is_letter_or_digit(char) || is_combining_mark(char)) && !is_disallowed(char),
        }
    })
}

/// Valid though of another category (2.6).
const VALID: [char; 4] = ['\u{6fd}', '\u{6fe}', '\u{f0b}', '\u{3007}'];

/// Valid in its context (appendices A.3 to A.7). UTS 46 keeps the digits of A.8 and A.9 apart, by the
/// rule for labels written from right to left.
const MIDDLE_DOT: char = '\u{b7}';
const KERAIA: char = '\u{375}';
const GERESH: char = '\u{5f3}';
const GERSHAYIM: char = '\u{5f4}';
const KATAKANA_MIDDLE_DOT: char = '\u{30fb}';

fn is_japanese(char: char) -> bool {
    matches!(
        script(char),
        Script::Hiragana | Script::Katakana | Script::Han
    )
}

fn script(char: char) -> Script {
    CodePointMapData::<Script>::new().get(char)
}

/// Letters and marks by category that are not valid all the same: what stretches or repeats letters
/// (2.6), what modifies symbols and notes (2.4), and Hangul that is not composed (2.9).
fn is_disallowed(char: char) -> bool {
    let is_exception = matches!(
        char,
        '\u{640}' | '\u{7fa}' | '\u{302e}' | '\u{302f}' | '\u{3031}'..='\u{3035}' | '\u{303b}'
    );
    let is_ignorable = matches!(char, '\u{20d0}'..='\u{20ff}' | '\u{1d100}'..='\u{1d24f}');
    is_exception || is_ignorable || is_jamo(char)
}

fn is_jamo(char: char) -> bool {
    matches!(
        CodePointMapData::<HangulSyllableType>::new().get(char),
        HangulSyllableType::LeadingJamo
            | HangulSyllableType::VowelJamo
            | HangulSyllableType::TrailingJamo
    )
}

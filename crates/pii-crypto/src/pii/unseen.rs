//! What characters are: those that nobody sees above all, since with one of them what looks like one
//! value is two.

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory as Category},
};

/// Whether a text without it looks the same: ignored by default (zero-width characters, soft hyphens,
/// fillers, variation selectors), a format or a control character.
pub(crate) fn is_ignorable(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_control();
    }
    matches!(category(char), Category::Control | Category::Format)
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(char)
}

/// Whether it shows nothing, or nothing that two readers would agree on: what is ignorable, blanks of
/// every kind, and what has no meaning in this version of Unicode or in any.
pub(super) fn is_unseen(char: char) -> bool {
    if char.is_ascii() {
        return char == ' ' || char.is_ascii_control();
    }
    is_ignorable(char) || BLANKS.contains(&char) || is_separator(char) || is_without_meaning(char)
}

/// Whether it modifies the character before it.
pub(crate) fn is_mark(char: char) -> bool {
    !char.is_ascii() && (is_combining_mark(char) || category(char) == Category::EnclosingMark)
}

/// Whether it is a mark that words are written with, other than one that encloses a character.
pub(super) fn is_combining_mark(char: char) -> bool {
    matches!(
        category(char),
        Category::NonspacingMark | Category::SpacingMark
    )
}

/// Whether it is a letter or a decimal digit of some script.
pub(crate) fn is_letter_or_digit(char: char) -> bool {
    matches!(
        category(char),
        Category::UppercaseLetter
            | Category::LowercaseLetter
            | Category::TitlecaseLetter
            | Category::ModifierLetter
            | Category::OtherLetter
            | Category::DecimalNumber
    )
}

/// Whether it ends a line, wherever it stands.
pub(super) const fn is_line_separator(char: char) -> bool {
    matches!(char, '\u{2028}' | '\u{2029}')
}

/// Letters and symbols by category whose glyph is blank, and the two that stand where something else
/// was.
const BLANKS: [char; 4] = ['\u{2800}', '\u{fffc}', '\u{fffd}', '\u{1d159}'];

fn is_separator(char: char) -> bool {
    matches!(
        category(char),
        Category::SpaceSeparator | Category::LineSeparator | Category::ParagraphSeparator
    )
}

fn is_without_meaning(char: char) -> bool {
    matches!(
        category(char),
        Category::Unassigned | Category::PrivateUse | Category::Surrogate
    )
}

fn category(char: char) -> Category {
    CodePointMapData::<Category>::new().get(char)
}

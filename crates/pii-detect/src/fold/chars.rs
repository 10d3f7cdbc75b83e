//! What one character is folded to.

mod tables;

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory, NumericType},
};
use unicode_normalization::char::{compose, decompose_compatible};

/// A character that stands for more than this, such as the one for a whole Arabic invocation, is
/// kept: what it stands for holds neither digits nor addresses, and would make the copy many times as
/// long as the text.
const MAX_EXPANSION: usize = 4;

/// Whether folding changes it.
pub(super) fn is_changed(c: char) -> bool {
    tables::is_changed(c)
}

/// Emits what it is folded to: nothing, one character, or a few.
pub(super) fn fold(c: char, emit: &mut dyn FnMut(char)) {
    if c.is_ascii() {
        return emit(c);
    }
    // A decimal digit is one in every form of normalization.
    if CodePointMapData::<GeneralCategory>::new().get(c) == GeneralCategory::DecimalNumber {
        return emit(tables::decimal_digit(c));
    }
    let normalized = Normalized::of(c);
    let normalized = normalized.as_slice().iter().copied();
    normalized.filter_map(single).for_each(emit);
}

/// Whether folding changes it, worked out from its properties.
fn changes(c: char) -> bool {
    let normalized = Normalized::of(c);
    let mut folded = normalized.as_slice().iter().map(|c| single(*c));
    !c.is_ascii() && (folded.next() != Some(Some(c)) || folded.next().is_some())
}

/// A character in normalization form KC.
struct Normalized {
    chars: [char; MAX_EXPANSION],
    length: usize,
}

impl Normalized {
    fn of(c: char) -> Self {
        let (mut chars, mut length) = ([c; MAX_EXPANSION], 0_usize);
        let mut decomposed = 0;
        decompose_compatible(c, |part| {
            decomposed += 1;
            let last = length.checked_sub(1).map(|last| chars[last]);
            if let Some(whole) = last.and_then(|last| compose(last, part)) {
                chars[length - 1] = whole;
            } else if let Some(place) = chars.get_mut(length) {
                *place = part;
                length += 1;
            }
        });
        if decomposed > MAX_EXPANSION {
            (chars[0], length) = (c, 1);
        }
        Self { chars, length }
    }

    fn as_slice(&self) -> &[char] {
        &self.chars[..self.length]
    }
}

/// What a normalized character becomes; `None` if it is left out.
fn single(c: char) -> Option<char> {
    use GeneralCategory as Category;
    if c.is_ascii() {
        return Some(c);
    }
    match CodePointMapData::<GeneralCategory>::new().get(c) {
        Category::Format | Category::NonspacingMark | Category::EnclosingMark => None,
        _ if CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c) => None,
        Category::SpaceSeparator => Some(' '),
        Category::DashPunctuation => Some('-'),
        Category::DecimalNumber => Some(tables::decimal_digit(c)),
        Category::OtherNumber if is_digit(c) => Some(tables::other_digit(c)),
        _ => Some(lookalike(c)),
    }
}

fn is_digit(c: char) -> bool {
    CodePointMapData::<NumericType>::new().get(c) == NumericType::Digit
}

/// Signs that people and keyboards put in the place of those of ASCII.
fn lookalike(c: char) -> char {
    match c {
        // The minus sign, the modifier letter, the hyphen bullet, the heavy one.
        '\u{2212}' | '\u{2d7}' | '\u{2043}' | '\u{2796}' => '-',
        // Full stops: ideographic, Arabic, Syriac, Vai, stenographic.
        '\u{3002}' | '\u{6d4}' | '\u{701}' | '\u{702}' | '\u{a60e}' | '\u{2e3c}' => '.',
        '\u{2795}' => '+',
        '\u{2044}' | '\u{2215}' | '\u{29f8}' => '/',
        // The Braille pattern without dots, which is no space by its category.
        '\u{2800}' => ' ',
        // Circled zeros that are no digits by their type, as the other circled digits are.
        '\u{1f10b}' | '\u{1f10c}' => '0',
        _ => c,
    }
}

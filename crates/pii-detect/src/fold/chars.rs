//! What one character is folded to.

use std::iter;

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory, NumericType},
};
use unicode_normalization::{
    IsNormalized, UnicodeNormalization, char::decompose_compatible, is_nfkc_quick,
};

/// A character that stands for more than this, such as the one for a whole Arabic invocation, is
/// kept: what it stands for holds neither digits nor addresses, and would make the copy six times as
/// long as the text.
const MAX_EXPANSION: usize = 8;

/// Whether folding changes it.
pub(super) fn is_changed(c: char) -> bool {
    if is_plain_letter(c) {
        return false;
    }
    expands(c) || single(c) != Some(c)
}

/// Emits what it is folded to: nothing, one character, or a few.
pub(super) fn fold(c: char, emit: &mut dyn FnMut(char)) {
    if c.is_ascii() || is_plain_letter(c) {
        emit(c);
    } else if expands(c) {
        iter::once(c).nfkc().filter_map(single).for_each(emit);
    } else if let Some(c) = single(c) {
        emit(c);
    }
}

/// Letters that stay as they are, in the blocks of which most texts consist.
fn is_plain_letter(c: char) -> bool {
    matches!(c,
        'À'..='ı' | 'Ѐ'..='҂' | 'ぁ'..='ん' | 'ァ'..='ヺ' | '一'..='鿿' | '가'..='힣')
}

/// Whether normalization form KC writes it in another way.
fn expands(c: char) -> bool {
    if is_nfkc_quick(iter::once(c)) != IsNormalized::No {
        return false;
    }
    let mut length = 0;
    decompose_compatible(c, |_| length += 1);
    length <= MAX_EXPANSION
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
        Category::DecimalNumber => Some(decimal_digit(c)),
        Category::OtherNumber if is_digit(c) => Some(other_digit(c)),
        _ => Some(lookalike(c)),
    }
}

/// The ASCII digit of a decimal digit. Unicode keeps each ten of them together, from zero to nine,
/// and starts every ten at a zero, so that how many stand before it in a row says which it is.
fn decimal_digit(c: char) -> char {
    let category = CodePointMapData::<GeneralCategory>::new();
    let is_decimal = |c: &u32| category.get32(*c) == GeneralCategory::DecimalNumber;
    ascii_digit((0..u32::from(c)).rev().take_while(is_decimal).count() % 10)
}

/// Digits that make no decimal numbers: negative circled ones, and those of scripts that had no
/// zero. They stand in rows that begin with one; three zeros stand alone.
fn other_digit(c: char) -> char {
    if matches!(c, '\u{24ff}' | '\u{1f10b}' | '\u{1f10c}') {
        return '0';
    }
    let before = (0..u32::from(c)).rev();
    let before = before.map_while(char::from_u32).take_while(|c| is_digit(*c));
    ascii_digit((before.count() + 1) % 10)
}

fn is_digit(c: char) -> bool {
    CodePointMapData::<NumericType>::new().get(c) == NumericType::Digit
}

fn ascii_digit(value: usize) -> char {
    u32::try_from(value)
        .ok()
        .and_then(|value| char::from_digit(value, 10))
        .expect("it is less than ten")
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
        _ => c,
    }
}

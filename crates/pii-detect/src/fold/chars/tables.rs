//! What is worked out once from the properties of all characters and looked up from then on.

use std::{ops::RangeInclusive, sync::LazyLock};

use icu_properties::{
    CodePointMapData,
    props::{GeneralCategory, NumericType},
};

use super::changes;

/// A bit for each character of the basic multilingual plane.
static CHANGED: LazyLock<[u64; 1024]> = LazyLock::new(|| {
    let mut words = [0; 1024];
    for (block, word) in (0..).step_by(64).zip(&mut words) {
        let chars = (block..block + 64).map(char::from_u32).enumerate();
        *word = chars.fold(0, |bits, (bit, c)| {
            bits | u64::from(c.is_some_and(changes)) << bit
        });
    }
    words
});

pub(super) fn is_changed(c: char) -> bool {
    // Letters and pictures in the blocks of which most texts consist.
    if matches!(c, 'À'..='ı' | '一'..='鿿' | '\u{1f300}'..='\u{1faff}') {
        return false;
    }
    let index = c as usize;
    match CHANGED.get(index / 64) {
        Some(word) => word >> (index % 64) & 1 != 0,
        None => changes(c),
    }
}

/// Rows of characters that follow each other, in order.
type Rows = Vec<RangeInclusive<u32>>;

static DECIMAL: LazyLock<Rows> = LazyLock::new(|| {
    let category = CodePointMapData::<GeneralCategory>::new();
    category
        .iter_ranges_for_value(GeneralCategory::DecimalNumber)
        .collect()
});

static OTHER: LazyLock<Rows> = LazyLock::new(|| {
    CodePointMapData::<NumericType>::new()
        .iter_ranges_for_value(NumericType::Digit)
        .collect()
});

/// The ASCII digit of a decimal digit. Unicode keeps each ten of them together, from zero to nine,
/// and starts every row at a zero.
pub(super) fn decimal_digit(c: char) -> char {
    ascii_digit(position(&DECIMAL, c) % 10)
}

/// The ASCII digit of one that makes no decimal numbers: negative circled digits, and those of
/// scripts that had no zero. They stand in rows that begin with one; the zero stands alone.
pub(super) fn other_digit(c: char) -> char {
    match c {
        '\u{24ff}' => '0',
        _ => ascii_digit((position(&OTHER, c) + 1) % 10),
    }
}

/// How many characters of its row stand before it.
fn position(rows: &[RangeInclusive<u32>], c: char) -> u32 {
    let c = u32::from(c);
    let behind = rows.partition_point(|row| *row.start() <= c);
    rows[..behind].last().map_or(0, |row| c - row.start())
}

fn ascii_digit(value: u32) -> char {
    char::from_digit(value, 10).expect("it is less than ten")
}

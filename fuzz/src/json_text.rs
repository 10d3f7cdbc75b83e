//! JSON read by others than the service: `serde_json`'s parser, and a look at the signs themselves.

use std::{cell::Cell, collections::BTreeSet, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// What others say of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Whether an object has two members of one name.
    pub repeats_name: bool,
}

/// What `serde_json` says of a text, without making values of its numbers or bounding its depth.
/// None if it is not JSON.
#[must_use]
pub fn judge(text: &[u8]) -> Option<Judged> {
    REPEATS.set(false);
    serde_json::from_slice::<Names>(text).ok()?;
    Some(Judged {
        repeats_name: REPEATS.get(),
    })
}

/// The most objects and arrays within each other, by brackets outside strings.
#[must_use]
pub fn depth(text: &[u8]) -> usize {
    let (mut depth, mut most) = (0_usize, 0);
    for sign in outside_strings(text) {
        match sign {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        most = most.max(depth);
    }
    most
}

/// The numbers of a JSON text, in order of their values' texts.
#[must_use]
pub fn numbers(text: &[u8]) -> Vec<Decimal> {
    let is_number = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
    let signs: Vec<u8> = outside_strings(text).collect();
    let words = signs.split(|byte| !is_number(byte) && !byte.is_ascii_alphabetic());
    // `true`, `false` and `null` are words too.
    let numbers = words.filter(|word| word.first().is_some_and(|byte| !byte.is_ascii_alphabetic()));
    let mut numbers: Vec<Decimal> = numbers.filter_map(Decimal::read).collect();
    numbers.sort();
    numbers
}

/// The text, with a blank for each string.
fn outside_strings(text: &[u8]) -> impl Iterator<Item = u8> {
    let (mut in_string, mut escaped) = (false, false);
    text.iter().map(move |byte| {
        let was_in_string = in_string;
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ => {}
        }
        if was_in_string || in_string {
            b' '
        } else {
            *byte
        }
    })
}

/// A decimal number: sign, digits without zeros at either end, and the power of ten of the first
/// digit's left neighbour.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decimal {
    is_negative: bool,
    digits: String,
    point: i128,
}

impl Decimal {
    /// Reads a number of JSON's grammar whose exponent is one of this world.
    #[must_use]
    pub fn read(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let magnitude = text.trim_start_matches('-');
        let exponent_at = magnitude.find(['e', 'E']).unwrap_or(magnitude.len());
        let (mantissa, exponent) = magnitude.split_at(exponent_at);
        let point = mantissa.find('.').unwrap_or(mantissa.len());
        let digits = mantissa.replace('.', "");
        let significant = digits.trim_start_matches('0');
        let leading = i128::try_from(digits.len() - significant.len()).ok()?;
        let significant = significant.trim_end_matches('0');
        let exponent: i128 = match exponent.get(1..) {
            // Zero, whatever its exponent.
            _ if significant.is_empty() => leading - i128::try_from(point).ok()?,
            None | Some("") => 0,
            Some(digits) => digits.trim_start_matches('+').parse().ok()?,
        };
        Some(Self {
            is_negative: text.starts_with('-'),
            digits: significant.to_owned(),
            point: i128::try_from(point).ok()? - leading + exponent,
        })
    }

    /// Whether a number type of JSON's usual readers has this very value: a 64-bit integer, or the
    /// shortest text of the nearest 64-bit float.
    #[must_use]
    pub fn is_kept_by_floats(text: &str) -> bool {
        let own = Self::read(text.as_bytes());
        own.is_some()
            && text
                .parse()
                .ok()
                .and_then(Number::from_f64)
                .is_some_and(|nearest| Self::read(nearest.to_string().as_bytes()) == own)
    }
}

thread_local! {
    static REPEATS: Cell<bool> = const { Cell::new(false) };
}

/// Any value, of which nothing is kept but whether names repeat.
struct Names;

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Names, E> {
        Ok(Names)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Names, E> {
        Ok(Names)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Names, E> {
        Ok(Names)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Names, E> {
        Ok(Names)
    }

    fn visit_str<E>(self, _: &str) -> Result<Names, E> {
        Ok(Names)
    }

    fn visit_unit<E>(self) -> Result<Names, E> {
        Ok(Names)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Names, A::Error> {
        while items.next_element::<Names>()?.is_some() {}
        Ok(Names)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Names, A::Error> {
        let mut seen = BTreeSet::new();
        while let Some(name) = members.next_key::<String>()? {
            members.next_value::<Names>()?;
            if !seen.insert(name) {
                REPEATS.set(true);
            }
        }
        Ok(Names)
    }
}

//! Which numbers are kept: those that come out as the same decimal value as they went in.

use serde_json::Number;

/// The number that a text of JSON's grammar denotes, if it is kept.
///
/// An integer, written without fraction and exponent, is kept if it fits `i64` or `u64`. Every other
/// number is kept if the nearest `f64`, as it is stored and given out, in its shortest decimal form,
/// has its very value: then no other number is mistaken for it. (Of two equally near shortest forms
/// of one `f64` it is the one that is written.)
pub(super) fn exact(text: &str) -> Option<Number> {
    // Minus zero keeps its sign, as it does with a fraction.
    if text == "-0" || text.contains(['.', 'e', 'E']) {
        float(text)
    } else if let Ok(integer) = text.parse::<u64>() {
        Some(integer.into())
    } else {
        text.parse::<i64>().ok().map(Number::from)
    }
}

/// Where the number that begins at `start` ends (RFC 8259, 6), or the byte that makes it none.
pub(super) fn end(text: &[u8], start: usize) -> Result<usize, usize> {
    let byte = |at: usize| text.get(at).copied();
    let digits = |from: usize| {
        let run = text[from..].iter().take_while(|byte| byte.is_ascii_digit());
        match run.count() {
            0 => Err(from),
            digits => Ok(from + digits),
        }
    };
    let mut at = digits(start + usize::from(byte(start) == Some(b'-')))?;
    if byte(at) == Some(b'.') {
        at = digits(at + 1)?;
    }
    if matches!(byte(at), Some(b'e' | b'E')) {
        let signed = matches!(byte(at + 1), Some(b'+' | b'-'));
        at = digits(at + 1 + usize::from(signed))?;
    }
    Ok(at)
}

fn float(text: &str) -> Option<Number> {
    let nearest: f64 = text.parse().ok()?;
    let kept = Number::from_f64(nearest)?;
    // No two decimals of at most 15 digits have the same nearest `f64`, far from the ends of its
    // range; without an exponent, 16 signs are too few to come near them.
    if text.len() <= 16 && !text.contains(['e', 'E']) {
        return Some(kept);
    }
    (Decimal::of(text)? == Decimal::of(&kept.to_string())?).then_some(kept)
}

/// A decimal value in the one form it has: its digits without zeros at either end, and the power of
/// ten of the last.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    digits: Vec<u8>,
    power: i64,
}

impl Decimal {
    /// None if its power of ten is beyond `i64`.
    fn of(text: &str) -> Option<Self> {
        let (is_negative, magnitude) = match text.strip_prefix('-') {
            Some(magnitude) => (true, magnitude),
            None => (false, text),
        };
        let (mantissa, exponent) = magnitude.split_once(['e', 'E']).unwrap_or((magnitude, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let zeros = |digit: &&u8| **digit == b'0';
        let mut digits: Vec<u8> = [whole.as_bytes(), fraction.as_bytes()].concat();
        let trailing = digits.iter().rev().take_while(zeros).count();
        digits.truncate(digits.len() - trailing);
        digits.drain(..digits.iter().take_while(zeros).count());
        let power = if digits.is_empty() {
            // Zero, whatever its exponent.
            0
        } else {
            let exponent: i64 = exponent.parse().ok()?;
            exponent
                .checked_add(i64::try_from(trailing).ok()?)?
                .checked_sub(i64::try_from(fraction.len()).ok()?)?
        };
        Some(Self {
            is_negative,
            digits,
            power,
        })
    }
}

#[cfg(test)]
mod tests;

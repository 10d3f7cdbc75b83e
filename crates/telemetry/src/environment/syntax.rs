//! Values of `OTEL_*` variables, parsed.

use std::time::Duration;

use crate::sampling::Ratio;

pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// At most an hour: who waits longer waits for nothing.
pub(super) fn milliseconds(text: &str) -> Option<Duration> {
    let count = positive(text).filter(|count| *count <= 3_600_000)?;
    Some(Duration::from_millis(u64::from(count)))
}

/// A number of spans that memory is set aside for.
pub(super) fn spans(text: &str) -> Option<u32> {
    positive(text).filter(|count| *count <= 100_000)
}

/// Digits alone: no sign, no blank, no other notation.
pub(super) fn positive(text: &str) -> Option<u32> {
    let digits = text
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(text)?;
    digits.parse().ok().filter(|count| *count > 0)
}

pub(super) fn ratio(text: &str) -> Option<Ratio> {
    text.parse().ok()
}

/// The names of a list with commas, in lower case, each once.
pub(super) fn names(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in text.split(',').map(|name| name.trim().to_ascii_lowercase()) {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// `key=value,key=value` with percent-encoded values, as the W3C Baggage header writes it.
pub(super) fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    text.split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=')?;
            let key = key.trim();
            (!key.is_empty()).then_some(())?;
            Some((key.to_owned(), percent_decoded(value.trim())?))
        })
        .collect()
}

/// Pairs that are valid as HTTP headers, so that none is dropped in silence.
pub(super) fn headers(text: &str) -> Option<Vec<(String, String)>> {
    let is_name = |name: &str| {
        name.bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
    };
    let is_value = |value: &str| value.bytes().all(|b| (b' '..=b'~').contains(&b));
    pairs(text).filter(|pairs| {
        pairs
            .iter()
            .all(|(name, value)| is_name(name) && is_value(value))
    })
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (pair, tail) = rest.split_at_checked(2)?;
        rest = tail;
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(bytes).ok()
}

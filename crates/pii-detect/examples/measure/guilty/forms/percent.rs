//! Percent-encoding (RFC 3986).

use std::fmt::Write as _;

use crate::random::Random;

/// What a page's script does to a parameter: all but letters, digits and `-_.!~*'()`.
pub(crate) fn component(text: &str) -> String {
    encoded(text, |byte| {
        !(byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte))
    })
}

/// All but letters and digits, in either case.
pub(super) fn reserved(random: &mut Random, text: &str) -> Option<String> {
    let encoded = encoded(text, |byte| !byte.is_ascii_alphanumeric());
    if encoded == text {
        None
    } else if random.once_in(2) {
        Some(lower_escapes(&encoded))
    } else {
        Some(encoded)
    }
}

pub(super) fn every(text: &str) -> String {
    encoded(text, |_| true)
}

fn encoded(text: &str, needs: impl Fn(u8) -> bool) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if needs(byte) {
            write!(encoded, "%{byte:02X}").expect("a string takes everything");
        } else {
            encoded.push(char::from(byte));
        }
    }
    encoded
}

fn lower_escapes(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (escape, rest) = part.split_at(2);
        format!("{text}%{}{rest}", escape.to_lowercase())
    })
}

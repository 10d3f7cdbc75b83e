//! Addresses of the network: IPv4 and IPv6.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{digits, source::Source};
use crate::{
    finding::{Confidence, Finding},
    kind::Kind,
};

/// The longest spelling of IPv6, with an IPv4 tail.
const MAX_BYTES: usize = 45;
const MAX_GROUP: usize = 4;

/// An IPv4 address whose first digit stands at `at`.
pub(super) fn at_digit(source: &Source<'_>, _from: usize, at: usize) -> Option<Finding> {
    let bytes = source.bytes();
    if !digits::starts_run(bytes, at) {
        return None;
    }
    let bound = digits::before(bytes, at)
        .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    let end = at + run(&bytes[at..], |b| b.is_ascii_digit() || b == b'.');
    let address = source.text()[at..end].trim_end_matches('.');
    let end = at + address.len();
    let goes_on = bytes
        .get(end)
        .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if bound || goes_on || follows_version(bytes, at) {
        return None;
    }
    address.parse::<Ipv4Addr>().ok()?;
    Some(found("ipv4", at..end))
}

/// An IPv6 address whose first colon stands at `colon`, not reaching back beyond `from`.
pub(crate) fn around_colon(source: &Source<'_>, from: usize, colon: usize) -> Option<Finding> {
    let bytes = source.bytes();
    let back = bytes[from..colon]
        .iter()
        .rev()
        .take(MAX_GROUP + 1)
        .take_while(|b| b.is_ascii_hexdigit())
        .count();
    let start = colon - back;
    let bound = digits::before(bytes, start)
        .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b':' | b'.' | b'_'));
    if back > MAX_GROUP || bound {
        return None;
    }
    let end = start
        + run(&bytes[start..], |b| {
            b.is_ascii_hexdigit() || matches!(b, b':' | b'.')
        });
    let address = source.text()[start..end].trim_end_matches('.');
    // A sentence may go on behind it: `2001:db8::1: connection refused`.
    let address = match address.strip_suffix(':') {
        Some(shorter) if !shorter.ends_with(':') => shorter,
        _ => address,
    };
    let end = start + address.len();
    let goes_on = bytes
        .get(end)
        .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let parsed = address.parse::<Ipv6Addr>().ok()?;
    // `a::b` is a path in many languages, and `::` too.
    let digits = address.bytes().any(|b| b.is_ascii_digit());
    (!goes_on && digits && !parsed.is_unspecified()).then(|| found("ipv6", start..end))
}

fn found(rule: &'static str, range: std::ops::Range<usize>) -> Finding {
    Finding {
        kind: Kind::IpAddress,
        range,
        rule,
        confidence: Confidence::High,
    }
}

fn run(bytes: &[u8], is_part: impl Fn(u8) -> bool) -> usize {
    bytes
        .iter()
        .take(MAX_BYTES)
        .take_while(|b| is_part(**b))
        .count()
}

/// `version 1.2.3.4`, `Chrome/120.0.0.0`.
fn follows_version(bytes: &[u8], at: usize) -> bool {
    const WORDS: [&[u8]; 4] = [b"version", b"ver", b"release", b"build"];
    let before = bytes[..at].trim_ascii_end();
    let before = before
        .strip_suffix(b":")
        .or_else(|| before.strip_suffix(b"="))
        .unwrap_or(before);
    let before = before.strip_suffix(b"\"").unwrap_or(before);
    let product = bytes[..at]
        .strip_suffix(b"/")
        .and_then(<[u8]>::last)
        .is_some_and(u8::is_ascii_alphabetic);
    product
        || WORDS.iter().any(|word| {
            before
                .len()
                .checked_sub(word.len())
                .is_some_and(|start| before[start..].eq_ignore_ascii_case(word))
        })
}

#[cfg(test)]
mod tests;

//! The short way for an address as nearly all are: letters, digits and the usual signs of ASCII.
//!
//! It only ever says yes: what it takes, the rules for every script take as well and give the same
//! normal form, which is the address in lower case. Anything else is left to them.

use super::{MAX_BYTES, local};

/// Whether it is a plain local part, `@` and a plain domain. Each byte is looked at once.
pub(super) fn is_plain_address(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= MAX_BYTES
        && plain_local(bytes).is_some_and(|length| is_plain_domain(&bytes[length + 1..]))
}

/// How long the local part before the first `@` is, if it is one of ASCII.
fn plain_local(text: &[u8]) -> Option<usize> {
    let mut before = b'.';
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'@' => return (before != b'.' && at <= local::MAX_BYTES).then_some(at),
            b'.' if before == b'.' => return None,
            b'.' => {}
            byte if !byte.is_ascii() || !local::is_atext(*byte) => return None,
            _ => {}
        }
        before = *byte;
    }
    None
}

/// Whether it is at least two labels of letters, digits and hyphens that IDNA does not look into, the
/// last one ending with a letter.
fn is_plain_domain(domain: &[u8]) -> bool {
    let mut first = 0;
    for (at, byte) in domain.iter().enumerate() {
        match byte {
            b'.' if is_plain_label(&domain[first..at]) => first = at + 1,
            byte if byte.is_ascii_alphanumeric() || *byte == b'-' => {}
            _ => return false,
        }
    }
    first > 0
        && domain.len() <= MAX_DOMAIN_BYTES
        && domain.last().is_some_and(u8::is_ascii_alphabetic)
        && is_plain_label(&domain[first..])
}

/// Whether what has letters, digits and hyphens alone is a label.
fn is_plain_label(label: &[u8]) -> bool {
    let (Some(first), Some(last)) = (label.first(), label.last()) else {
        return false;
    };
    label.len() <= MAX_LABEL_BYTES
        && *first != b'-'
        && *last != b'-'
        // What has them there may be Punycode.
        && label.get(2..4) != Some(b"--")
}

const MAX_LABEL_BYTES: usize = 63;
const MAX_DOMAIN_BYTES: usize = 253;

#[cfg(test)]
mod tests;

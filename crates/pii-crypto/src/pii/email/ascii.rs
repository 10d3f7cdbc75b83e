//! The short way for an address as nearly all are: letters, digits and the usual signs of ASCII.
//!
//! It only ever says yes: what it takes, the rules for every script take as well and give the same
//! normal form, which is the address in lower case. Anything else is left to them.

use super::{MAX_BYTES, local};

/// Whether it is a plain local part, `@` and a plain domain.
pub(super) fn is_plain_address(text: &str) -> bool {
    text.len() <= MAX_BYTES
        && text.rsplit_once('@').is_some_and(|(local, domain)| {
            local.is_ascii() && local::is_valid(local) && is_plain_domain(domain)
        })
}

/// Whether it is at least two labels of letters, digits and hyphens that IDNA does not look into, the
/// last one ending with a letter.
fn is_plain_domain(domain: &str) -> bool {
    let bytes = domain.as_bytes();
    let (Some(_), Some(last)) = (bytes.iter().position(|byte| *byte == b'.'), bytes.last()) else {
        return false;
    };
    last.is_ascii_alphabetic()
        && bytes.len() <= MAX_DOMAIN_BYTES
        && bytes.split(|byte| *byte == b'.').all(is_plain_label)
}

/// No hyphen stands at an end, nor in third and fourth place: what does may be Punycode.
fn is_plain_label(label: &[u8]) -> bool {
    let is_hyphen = |at: usize| label.get(at) == Some(&b'-');
    matches!(label.len(), 1..=MAX_LABEL_BYTES)
        && label
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
        && !is_hyphen(0)
        && !is_hyphen(label.len() - 1)
        && !(is_hyphen(2) && is_hyphen(3))
}

const MAX_LABEL_BYTES: usize = 63;
const MAX_DOMAIN_BYTES: usize = 253;

#[cfg(test)]
mod tests;

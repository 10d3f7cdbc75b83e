//! JSON Web Tokens, RFC 7519.

use super::{Secret, run};

/// `{"` in Base64.
pub(super) const LITERALS: &[&str] = &["eyJ"];

const MIN_PART_BYTES: usize = 10;
/// So that a token is recognised by its head: a program that cuts a text looks no further.
const MAX_HEADER_BYTES: usize = 280;

/// Two JSON objects joined by a dot; whatever signature follows.
pub(super) fn at(text: &str, at: usize) -> Option<Secret> {
    let bytes = text.as_bytes();
    let is_part = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    let inside = at > 0 && (is_part(bytes[at - 1]) || bytes[at - 1] == b'.');
    if inside || !text[at..].starts_with(LITERALS[0]) {
        return None;
    }
    let header = run(bytes, at, is_part);
    let payload = at + header + 1;
    let joined = bytes.get(payload - 1) == Some(&b'.') && text[payload..].starts_with(LITERALS[0]);
    if !(MIN_PART_BYTES..=MAX_HEADER_BYTES).contains(&header) || !joined {
        return None;
    }
    let rest = run(bytes, payload, |b| is_part(b) || b == b'.');
    let end = text[..payload + rest].trim_end_matches('.').len();
    (rest >= MIN_PART_BYTES).then_some(Secret {
        range: at..end,
        rule: "jwt",
    })
}

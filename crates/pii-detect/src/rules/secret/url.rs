//! Passwords in URLs: `postgres://user:password@host/database`.

use super::Secret;

pub(super) const LITERALS: &[&str] = &["://"];

const MAX_BYTES: usize = 256;
const MIN_PASSWORD_BYTES: usize = 3;

/// The user and the password behind `://`, if there is a password that is no placeholder.
pub(super) fn at(text: &str, at: usize) -> Option<Secret> {
    let bytes = text.as_bytes();
    let scheme = at > 0 && bytes[at - 1].is_ascii_alphanumeric();
    if !scheme || !text[at..].starts_with(LITERALS[0]) {
        return None;
    }
    let start = at + LITERALS[0].len();
    let window = &bytes[start..bytes.len().min(start + MAX_BYTES)];
    let end = window.iter().position(|b| {
        matches!(
            b,
            b'@' | b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\'
        ) || b.is_ascii_whitespace()
    })?;
    let colon = window[..end].iter().position(|b| *b == b':')?;
    let password = &window[colon + 1..end];
    let host = window
        .get(end + 1)
        .is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'[' || !b.is_ascii());
    (window[end] == b'@' && host && is_password(password)).then_some(Secret {
        range: start..start + end,
        rule: "url_credentials",
    })
}

/// `$PASSWORD`, `{password}`, `%s`, `***` and `xxx` stand for one.
fn is_password(password: &[u8]) -> bool {
    let placeholder = matches!(password.first(), Some(b'$' | b'{' | b'[' | b'('))
        || password == b"%s"
        || password
            .iter()
            .all(|b| matches!(b, b'*' | b'x' | b'X' | b'.'));
    password.len() >= MIN_PASSWORD_BYTES && !placeholder
}

//! Credentials of HTTP: `Bearer`, RFC 6750, and `Basic`, RFC 7617.

use super::{Secret, run};

pub(super) const LITERALS: &[&str] = &[
    "Bearer ", "bearer ", "BEARER ", "Basic ", "basic ", "BASIC ",
];

const MIN_TOKEN_BYTES: usize = 20;
const MIN_BASIC_BYTES: usize = 8;
/// A user and a password are found by the colon between them; no longer part of them is decoded.
const MAX_DECODED: usize = 96;

/// The token behind the scheme.
pub(super) fn at(text: &str, at: usize) -> Option<Secret> {
    let bytes = text.as_bytes();
    if at > 0 && bytes[at - 1].is_ascii_alphanumeric() {
        return None;
    }
    let scheme = LITERALS
        .iter()
        .find(|scheme| text[at..].starts_with(**scheme))?;
    let start = at + scheme.len();
    let length = run(bytes, start, |b| {
        b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'~' | b'+' | b'/' | b'=' | b'-')
    });
    let token = text[start..start + length].trim_end_matches('.');
    let (is_secret, rule) = if scheme.eq_ignore_ascii_case("Bearer ") {
        (is_token(token.as_bytes()), "bearer_token")
    } else {
        (is_user_and_password(token.as_bytes()), "basic_credentials")
    };
    is_secret.then_some(Secret {
        range: start..start + token.len(),
        rule,
    })
}

/// Long, and of letters and digits: `Bearer authentication-is-required` is prose.
fn is_token(token: &[u8]) -> bool {
    token.len() >= MIN_TOKEN_BYTES
        && token.iter().any(u8::is_ascii_digit)
        && token.iter().any(u8::is_ascii_alphabetic)
}

fn is_user_and_password(token: &[u8]) -> bool {
    if token.len() < MIN_BASIC_BYTES {
        return false;
    }
    let mut colon = false;
    let mut bits = 0_u32;
    for (index, byte) in token
        .iter()
        .take(MAX_DECODED)
        .take_while(|b| **b != b'=')
        .enumerate()
    {
        let Some(value) = sextet(*byte) else {
            return false;
        };
        bits = bits << 6 | value;
        let decoded = match index % 4 {
            1 => bits >> 4,
            2 => bits >> 2,
            3 => bits,
            _ => continue,
        } & 0xff;
        if decoded < 0x20 || decoded == 0x7f {
            return false;
        }
        colon |= decoded == u32::from(b':');
    }
    colon
}

fn sextet(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}

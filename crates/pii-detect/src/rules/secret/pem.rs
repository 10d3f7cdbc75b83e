//! Private keys in PEM, RFC 7468, and those of OpenSSH and PGP.

use super::{Secret, run};

pub(super) const LITERALS: &[&str] = &["-----BEGIN "];

const END: &str = "-----END ";
const DASHES: &str = "-----";
const MAX_LABEL_BYTES: usize = 48;

/// The head of the key, and as much of it as follows.
pub(super) fn at(text: &str, at: usize) -> Option<Secret> {
    let bytes = text.as_bytes();
    let label = text[at..].strip_prefix(LITERALS[0])?;
    let length = label
        .bytes()
        .take(MAX_LABEL_BYTES)
        .take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b' ')
        .count();
    let is_private = label[..length].contains("PRIVATE KEY");
    if !is_private || !label[length..].starts_with(DASHES) {
        return None;
    }
    let body = at + LITERALS[0].len() + length + DASHES.len();
    let end = end(bytes, body);
    let end = match text[end..].strip_prefix(END) {
        Some(label) => label
            .find(DASHES)
            .filter(|length| *length <= MAX_LABEL_BYTES)
            .map_or(end, |length| end + END.len() + length + DASHES.len()),
        None => text[..end].trim_ascii_end().len(),
    };
    Some(Secret {
        range: at..end,
        rule: "private_key",
    })
}

/// Where the lines end that can be those of a key: Base64, headers, and line ends that are escaped in
/// a text within a text.
fn end(bytes: &[u8], start: usize) -> usize {
    let mut end = start;
    loop {
        end += run(bytes, end, |b| {
            b.is_ascii_alphanumeric()
                || b.is_ascii_whitespace()
                || matches!(b, b'+' | b'/' | b'=' | b'\\' | b':' | b',')
        });
        let dashes = run(&bytes[..bytes.len().min(end + DASHES.len())], end, |b| {
            b == b'-'
        });
        if dashes == 0 || dashes == DASHES.len() {
            return end;
        }
        end += dashes;
    }
}

//! An input that looks like the head of a message: `name: value` lines, an empty line, a body.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The header lines and the body of an input. A line that is no header line is left out, as what
/// reads HTTP would never let it through.
#[must_use]
pub fn split(input: &[u8]) -> (HeaderMap, &[u8]) {
    let mut headers = HeaderMap::new();
    let mut rest = input;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let line = &rest[..end];
        rest = &rest[end + 1..];
        if line.is_empty() {
            return (headers, rest);
        }
        if let Some((name, value)) = header(line) {
            headers.append(name, value);
        }
    }
    if let Some((name, value)) = header(rest) {
        headers.append(name, value);
    }
    (headers, b"")
}

/// The header lines of an input that is nothing else.
#[must_use]
pub fn headers(input: &[u8]) -> HeaderMap {
    split(input).0
}

fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let name = HeaderName::from_bytes(&line[..colon]).ok()?;
    // A message's own reader takes the blanks around a value away.
    let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
    Some((name, value))
}

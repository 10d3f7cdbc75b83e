//! Secrets that carry a known prefix.

use std::ops::Range;

/// The prefix that is known without being told: the API keys of `portcullis-apikey-cache`.
pub(crate) const STANDARD_PREFIX: &str = "pcl_";

/// Fewer characters after the prefix are taken for prose about keys.
pub(crate) const MIN_BODY_BYTES: usize = 8;

/// A secret with one of the prefixes whose first byte stands at `at`.
pub(crate) fn at(bytes: &[u8], at: usize, prefixes: &[Box<str>]) -> Option<Range<usize>> {
    let prefix = prefixes
        .iter()
        .find(|prefix| bytes[at..].starts_with(prefix.as_bytes()))?;
    let body = bytes[at + prefix.len()..]
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        .count();
    (body >= MIN_BODY_BYTES).then_some(at..at + prefix.len() + body)
}

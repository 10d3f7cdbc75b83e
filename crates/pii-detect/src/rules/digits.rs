//! Runs and groups of digits.

use std::ops::Range;

/// How many digits stand in a row at `at`.
pub(super) fn run(bytes: &[u8], at: usize) -> usize {
    bytes.get(at..).map_or(0, |rest| {
        rest.iter().take_while(|b| b.is_ascii_digit()).count()
    })
}

/// Groups of exactly these lengths with one and the same separator between them.
pub(super) fn groups(
    bytes: &[u8],
    at: usize,
    lengths: &[usize],
    separators: &[u8],
) -> Option<Range<usize>> {
    let separator = bytes
        .get(at + lengths[0])
        .filter(|byte| separators.contains(byte))?;
    let mut end = at;
    for (index, &length) in lengths.iter().enumerate() {
        if index > 0 {
            if bytes.get(end) != Some(separator) {
                return None;
            }
            end += 1;
        }
        if run(bytes, end) != length {
            return None;
        }
        end += length;
    }
    Some(at..end)
}

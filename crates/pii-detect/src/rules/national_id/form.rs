//! Templates of written numbers.

/// Where the text ends that begins at `start` and is written like the template: `d` stands for a
/// digit, `a` for a digit or an upper-case letter, `?` for `.`, `-`, a blank or nothing, `!` for `-`,
/// `/`, a blank or nothing, anything else for itself.
pub(super) fn matches(template: &str, bytes: &[u8], start: usize) -> Option<usize> {
    let mut end = start;
    for part in template.bytes() {
        let byte = bytes.get(end).copied();
        let fits = match part {
            b'd' => byte?.is_ascii_digit(),
            b'a' => byte?.is_ascii_digit() || byte?.is_ascii_uppercase(),
            b'?' => matches!(byte, Some(b'.' | b'-' | b' ')),
            b'!' => matches!(byte, Some(b'-' | b'/' | b' ')),
            literal => byte? == literal,
        };
        match part {
            _ if fits => end += 1,
            b'?' | b'!' => {}
            _ => return None,
        }
    }
    Some(end)
}

/// How many letters and digits can stand in a row at the start of what a template matches, and have
/// none behind them: a bit for each length.
pub(super) const fn heads(template: &str) -> u16 {
    let parts = template.as_bytes();
    let (mut heads, mut length, mut index) = (0, 0, 0);
    while index < parts.len() {
        match parts[index] {
            b'd' | b'a' => length += 1,
            b'?' | b'!' => heads |= 1 << length,
            _ => return heads | 1 << length,
        }
        index += 1;
    }
    heads | 1 << length
}

//! What a file of secrets may hold.

/// Its lines, without the line break at the end.
///
/// # Errors
/// There are none, or something that is not seen: it would be taken for a part of a secret, or be left out of it
/// without a word.
pub(crate) fn secret_text(content: &str) -> Result<&str, &'static str> {
    let text = content.trim();
    if text.is_empty() {
        Err("names an empty file")
    } else if text.starts_with('\u{feff}') {
        Err("names a file that begins with a byte order mark; save it without")
    } else if text.contains(|it: char| it.is_control() && !matches!(it, '\n' | '\r')) {
        Err("names a file with control characters in it")
    } else {
        Ok(text)
    }
}

//! E-mail addresses.

use std::ops::Range;

const MAX_LOCAL_CHARS: usize = 64;

/// The address around an `@` at `at`, not reaching back beyond `from`.
pub(crate) fn around(text: &str, from: usize, at: Range<usize>) -> Option<Range<usize>> {
    let before = &text[from..at.start];
    let start = before
        .char_indices()
        .rev()
        .take(MAX_LOCAL_CHARS)
        .take_while(|(_, c)| is_local(*c))
        .last()
        .map(|(index, _)| from + index)?;
    if !text[start..at.start].chars().any(char::is_alphanumeric) {
        return None;
    }
    // `git@host:owner/repository` is where a program logs in, and nobody's address.
    if text[start..at.start].eq_ignore_ascii_case("git") {
        return None;
    }
    let after = &text[at.end..];
    let end = after.find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-')));
    let domain = after[..end.unwrap_or(after.len())].trim_end_matches(['.', '-']);
    let (name, top) = domain.rsplit_once('.')?;
    let named = name.chars().any(char::is_alphanumeric);
    let top_level = top.starts_with("xn--")
        || (top.chars().count() >= 2 && top.chars().all(char::is_alphabetic));
    (named && top_level).then_some(start..at.end + domain.len())
}

fn is_local(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-' | '\'')
}

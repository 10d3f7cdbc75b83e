//! The part of an address before the `@`.

use memchr::{memchr_iter, memrchr};

const MAX_CHARS: usize = 64;

/// Where the local part begins that ends at `end`.
pub(super) fn start(text: &str, from: usize, end: usize) -> Option<usize> {
    let before = &text[from..end];
    let start = from + quoted(before).or_else(|| dot_atom(before))?;
    (start < end).then_some(start)
}

/// How far the `@` can be behind any part of the local part, with quotes that are escaped.
const REACH_BYTES: usize = 4 * MAX_CHARS + 4;

/// Whether an address may begin before `at`, but not before `from`, and go on behind it: in an atom, or in
/// quotes that were opened.
pub(crate) fn may_go_on(text: &str, from: usize, at: usize) -> bool {
    let next = text[at..].chars().next();
    let opened = || {
        memrchr(
            b'"',
            &text.as_bytes()[from.max(at.saturating_sub(REACH_BYTES))..at],
        )
    };
    next.is_some_and(|c| is_local(c) || c == '@' || !c.is_control() && opened().is_some())
}

/// The `@`s of addresses that may begin before `at` and go on behind it: one to which only characters of
/// an atom lead, and those behind a quote, of each of the two kinds.
pub(crate) fn signs_behind(text: &str, at: usize) -> impl Iterator<Item = usize> {
    const MOST: usize = 3;
    let bytes = text.as_bytes();
    let behind = &bytes[at..bytes.len().min(at + REACH_BYTES)];
    let signs = memchr_iter(b'@', behind).map(move |sign| at + sign);
    let is_asked = move |(index, sign): &(usize, usize)| {
        let between = &text[at..*sign];
        between.ends_with('"') || *index == 0 && between.chars().all(is_local)
    };
    let asked = signs.enumerate().filter(is_asked);
    asked.map(|(_, sign)| sign).take(MOST)
}

/// The characters of RFC 5322, 3.2.3, without those that more often stand before an address than in
/// one: `/` and `?` of paths, `=` and `&` of queries, `*` and backticks of markup, braces and bars.
fn dot_atom(before: &str) -> Option<usize> {
    let start = before
        .char_indices()
        .rev()
        .take(MAX_CHARS)
        .take_while(|(_, c)| is_local(*c))
        .last()
        .map(|(index, _)| index)?;
    let atom = &before[start..];
    let lead = atom.len()
        - atom
            .trim_start_matches(['.', '\'', '!', '#', '$', '^', '~', '%'])
            .len();
    atom[lead..]
        .chars()
        .any(char::is_alphanumeric)
        .then_some(start + lead)
}

fn is_local(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(
            c,
            '.' | '_' | '%' | '+' | '-' | '\'' | '!' | '#' | '$' | '^' | '~'
        )
        || super::domain::is_mark(c)
}

/// `"john doe"@example.com`, also with its quotes escaped as JSON within a text has them.
fn quoted(before: &str) -> Option<usize> {
    let quote = if before.ends_with("\\\"") {
        "\\\""
    } else {
        "\""
    };
    let inner = before.strip_suffix(quote)?;
    let open = opening(inner, quote)?;
    let name = &inner[open.at + quote.len()..];
    // The quote before `@` may as well open a string that begins with it: `"handle": "@example.com"`.
    let bound = open.before.is_some_and(|c| {
        c.is_alphanumeric()
            || matches!(c, '\\' | '\'' | '.' | ')' | ']' | '}')
            || c == '"' && quote.len() == 1
    });
    let padded = name.starts_with(' ') || name.ends_with(' ');
    let named = name.chars().any(char::is_alphanumeric);
    (!bound && !padded && named).then_some(open.at)
}

/// The quote that opens a name.
struct Opening {
    at: usize,
    /// What stands before it, as far as is read.
    before: Option<char>,
}

/// The last quote that can open a name which ends with the text, [`MAX_CHARS`] back at most.
fn opening(inner: &str, quote: &str) -> Option<Opening> {
    let mut read = inner
        .char_indices()
        .rev()
        .take(MAX_CHARS)
        .take_while(|(_, c)| !c.is_control())
        .peekable();
    while let Some((at, _)) = read.next() {
        let before = read.peek().map(|(_, c)| *c);
        if inner[at..].starts_with(quote) && (quote.len() > 1 || before != Some('\\')) {
            return Some(Opening { at, before });
        }
    }
    None
}

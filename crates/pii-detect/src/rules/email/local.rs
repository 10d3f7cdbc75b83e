//! The part of an address before the `@`.

const MAX_CHARS: usize = 64;

/// Where the local part begins that ends at `end`.
pub(super) fn start(text: &str, from: usize, end: usize) -> Option<usize> {
    let before = &text[from..end];
    let start = from + quoted(before).or_else(|| dot_atom(before))?;
    (start < end).then_some(start)
}

/// The characters of RFC 5322, 3.2.3, without those that more often stand before an address than in
/// one: `/` and `?` of paths, `=` and `&` of queries, `*` and backticks of markup, braces and bars.
fn dot_atom(before: &str) -> Option<usize> {
    let is_local = |c: char| {
        c.is_alphanumeric()
            || matches!(
                c,
                '.' | '_' | '%' | '+' | '-' | '\'' | '!' | '#' | '$' | '^' | '~'
            )
            || super::domain::is_mark(c)
    };
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

/// `"john doe"@example.com`, also with its quotes escaped as JSON within a text has them.
fn quoted(before: &str) -> Option<usize> {
    let quote = if before.ends_with("\\\"") {
        "\\\""
    } else {
        "\""
    };
    let inner = before.strip_suffix(quote)?;
    let mut count = 0;
    let window = inner
        .char_indices()
        .rev()
        .take_while(|(_, c)| {
            count += 1;
            count <= MAX_CHARS && !c.is_control()
        })
        .last()?
        .0;
    let window = &inner[window..];
    let open = opening(window, quote)?;
    let name = &window[open + quote.len()..];
    // The quote before `@` may as well open a string that begins with it: `"handle": "@example.com"`.
    let bound = window[..open].chars().next_back().is_some_and(|c| {
        c.is_alphanumeric()
            || matches!(c, '\\' | '\'' | '.' | ')' | ']' | '}')
            || c == '"' && quote.len() == 1
    });
    let padded = name.starts_with(' ') || name.ends_with(' ');
    let named = name.chars().any(char::is_alphanumeric);
    let start = inner.len() - window.len() + open;
    (!bound && !padded && named).then_some(start)
}

/// Where the quote stands that opens the name at the end of `window`.
fn opening(window: &str, quote: &str) -> Option<usize> {
    window
        .rmatch_indices(quote)
        .map(|(index, _)| index)
        .find(|index| quote.len() > 1 || !window[..*index].ends_with('\\'))
}

//! The syntax that header fields have in common (RFC 9110, 5.6), read as bytes: blanks, quotes and
//! commas mean the same in each of them.

mod media_type;

pub(crate) use self::media_type::MediaType;

/// The elements of a list over all lines of a field, without blanks around them and without empty
/// ones, which a recipient has to ignore. A comma in quotes separates nothing.
pub(crate) fn list<'a>(
    lines: impl IntoIterator<Item = &'a [u8]>,
) -> impl Iterator<Item = &'a [u8]> {
    lines
        .into_iter()
        .flat_map(elements)
        .map(trim)
        .filter(|element| !element.is_empty())
}

/// The token of a credential `<scheme> <token>`, whose scheme is of any case and followed by any
/// number of blanks; nothing for another scheme.
pub(crate) fn credential<'a>(value: &'a [u8], scheme: &str) -> Option<&'a [u8]> {
    let (found, token) = value.split_at_checked(scheme.len())?;
    let is_it = found.eq_ignore_ascii_case(scheme.as_bytes()) && token.starts_with(b" ");
    is_it.then(|| trim(token))
}

fn elements(mut rest: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut ended = false;
    std::iter::from_fn(move || {
        if ended {
            return None;
        }
        let end = end_of_element(rest);
        let element = rest.get(..end)?;
        // Behind the comma.
        match rest.get(end + 1..) {
            Some(behind) => rest = behind,
            None => ended = true,
        }
        Some(element)
    })
}

fn end_of_element(text: &[u8]) -> usize {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => return at,
            _ => {}
        }
    }
    text.len()
}

/// Without the blanks and tabs around it.
fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

const fn is_token_byte(byte: &u8) -> bool {
    matches!(
        byte,
        b'!' | b'#'
            | b'$'
            | b'%'
            | b'&'
            | b'\''
            | b'*'
            | b'+'
            | b'-'
            | b'.'
            | b'^'
            | b'_'
            | b'`'
            | b'|'
            | b'~'
            | b'0'..=b'9'
            | b'a'..=b'z'
            | b'A'..=b'Z'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_all_lines_without_what_is_empty() {
        for (lines, expected) in [
            (vec![], vec![]),
            (vec![""], vec![]),
            (vec![" , ,", ","], vec![]),
            (vec!["gzip"], vec!["gzip"]),
            (
                vec!["gzip,identity\t, ", "br"],
                vec!["gzip", "identity", "br"],
            ),
            (vec!["a;x=\"1,\\\",2\",b"], vec!["a;x=\"1,\\\",2\"", "b"]),
            // What never ends is one element.
            (vec!["a=\"b,c", "d"], vec!["a=\"b,c", "d"]),
        ] {
            let bytes = lines.iter().map(|line| line.as_bytes());
            let found: Vec<_> = list(bytes).collect();
            let expected: Vec<_> = expected.iter().map(|text: &&str| text.as_bytes()).collect();
            assert_eq!(found, expected, "{lines:?}");
        }
    }

    #[test]
    fn a_scheme_is_of_any_case_and_ends_at_a_blank() {
        for (value, expected) in [
            ("Bearer t", Some("t")),
            ("bearer t", Some("t")),
            ("BEARER    t ", Some("t")),
            ("Bearer ", Some("")),
            ("Bearer", None),
            ("Bearert", None),
            ("Basic t", None),
            ("", None),
        ] {
            let found = credential(value.as_bytes(), "Bearer");
            assert_eq!(found, expected.map(str::as_bytes), "{value}");
        }
    }
}

//! `type/subtype; name=value; name="quoted value"` (RFC 9110, 8.3.1).

use super::is_token_byte;

/// A media type, as far as this service looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MediaType {
    /// `type/subtype` in lower case.
    pub(crate) essence: String,
    /// Every value of the parameter `charset`, in lower case.
    pub(crate) charsets: Vec<String>,
}

impl MediaType {
    /// Nothing where the text is no media type.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let (kind, rest) = token(text)?;
        let (subtype, mut rest) = token(rest.strip_prefix(b"/")?)?;
        let mut charsets = Vec::new();
        loop {
            rest = without_blanks(rest);
            if rest.is_empty() {
                break;
            }
            rest = without_blanks(rest.strip_prefix(b";")?);
            // An empty parameter.
            if matches!(rest, [] | [b';', ..]) {
                continue;
            }
            let (name, behind) = token(rest)?;
            let behind = behind.strip_prefix(b"=")?;
            let value;
            (value, rest) = quoted(behind).or_else(|| {
                let (value, behind) = token(behind)?;
                Some((value.to_vec(), behind))
            })?;
            if name.eq_ignore_ascii_case(b"charset") {
                charsets.push(lower_case(&value));
            }
        }
        Some(Self {
            essence: format!("{}/{}", lower_case(kind), lower_case(subtype)),
            charsets,
        })
    }
}

fn lower_case(text: &[u8]) -> String {
    String::from_utf8_lossy(text).to_ascii_lowercase()
}

/// The token at the beginning, and what follows it.
fn token(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| !is_token_byte(byte));
    let end = end.unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// What the quoted string at the beginning says, and what follows it.
fn quoted(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = text.strip_prefix(b"\"")?;
    let mut value = Vec::new();
    loop {
        match rest {
            [b'"', behind @ ..] => return Some((value, behind)),
            [b'\\', byte, behind @ ..] | [byte, behind @ ..] => {
                value.push(*byte);
                rest = behind;
            }
            [] => return None,
        }
    }
}

fn without_blanks(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_any_case_and_quotes_hide_what_is_in_them() {
        for (text, charsets) in [
            ("application/json", &[] as &[&str]),
            ("Application/JSON", &[]),
            ("application/json;", &[]),
            ("application/json ;\t; charset=UTF-8 ;", &["utf-8"]),
            ("application/json; Charset=\"utf-8\"", &["utf-8"]),
            ("application/json; charset=\"u\\tf-8\"", &["utf-8"]),
            ("application/json; x=\"a;charset=latin1\"", &[]),
            ("application/json; x=\"a\\\";charset=latin1\"", &[]),
            ("application/json; x=\"\\\\\";charset=latin1", &["latin1"]),
            (
                "application/json;charset=utf-8;charset=utf-16",
                &["utf-8", "utf-16"],
            ),
        ] {
            let read = MediaType::parse(text.as_bytes()).unwrap();
            assert_eq!(read.essence, "application/json", "{text}");
            assert_eq!(read.charsets, charsets, "{text}");
        }
    }

    #[test]
    fn what_is_no_media_type_is_none() {
        for text in [
            "",
            "json",
            "application/",
            "/json",
            "application /json",
            "application/json charset=utf-8",
            "application/json, application/json",
            "application/json; charset",
            "application/json; charset=",
            "application/json; charset =utf-8",
            "application/json; x=\"never ends",
            "application/json; x=\"a\"b",
            "application/json; x=a\"b\"",
        ] {
            assert_eq!(MediaType::parse(text.as_bytes()), None, "{text}");
        }
    }
}

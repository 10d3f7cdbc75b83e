//! `type/subtype; name=value; name="quoted value"` (RFC 9110, 8.3.1).

use super::is_token_byte;

/// A media type, as far as this service looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MediaType {
    /// `type/subtype` in lower case.
    name: String,
    /// Every value of the parameter `charset`, in lower case.
    charsets: Vec<String>,
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
            name: lower_case(&text[..=kind.len() + subtype.len()]),
            charsets,
        })
    }

    /// `type/subtype` in lower case, without parameters.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether its form is `*/json` or `*/*+json` (CloudEvents JSON format, 3.1.1).
    pub(crate) fn is_json(&self) -> bool {
        self.name.ends_with("/json") || self.name.ends_with("+json")
    }

    /// Whether it names no other character set than UTF-8, or ASCII, which is part of it.
    pub(crate) fn is_utf8(&self) -> bool {
        let is_utf8 = |charset: &String| matches!(charset.as_str(), "utf-8" | "utf8" | "us-ascii");
        self.charsets.iter().all(is_utf8)
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
            assert_eq!(read.name(), "application/json", "{text}");
            assert_eq!(read.charsets, charsets, "{text}");
        }
    }

    #[test]
    fn json_and_utf8_are_known_whatever_the_case_and_the_parameters() {
        for (text, is_json, is_utf8) in [
            ("text/json", true, true),
            ("application/vnd.acme.v1+json", true, true),
            ("application/problem+JSON; charset=UTF-8", true, true),
            ("application/json;charset=us-ascii", true, true),
            ("application/json; charset=iso-8859-1", true, false),
            (
                "application/json; charset=utf-8; CHARSET=\"utf-16\"",
                true,
                false,
            ),
            ("text/plain", false, true),
            ("application/jsonp", false, true),
            ("application/json+xml", false, true),
            ("application/xml", false, true),
        ] {
            let read = MediaType::parse(text.as_bytes()).unwrap();
            assert_eq!(
                (read.is_json(), read.is_utf8()),
                (is_json, is_utf8),
                "{text}"
            );
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

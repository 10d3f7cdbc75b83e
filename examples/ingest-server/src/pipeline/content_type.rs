//! The media type of data (RFC 2045, 5.1), in `datacontenttype` or `Content-Type`.

/// What a media type says of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ContentType {
    /// Its form is `*/json` or `*/*+json` (JSON format, 3.1.1).
    pub(crate) is_json: bool,
    /// No other character set than UTF-8 is named.
    pub(crate) is_utf8: bool,
}

impl ContentType {
    /// What is said of data without one.
    pub(crate) const JSON: Self = Self {
        is_json: true,
        is_utf8: true,
    };

    /// None if the text is no media type.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (media_type, mut rest) = match text.find(';') {
            Some(end) => text.split_at(end),
            None => (text, ""),
        };
        let (main, subtype) = media_type.trim_matches(is_blank).split_once('/')?;
        if !is_token(main) || !is_token(subtype) {
            return None;
        }
        let subtype = subtype.to_ascii_lowercase();
        let mut is_utf8 = true;
        while let Some(parameter) = rest.strip_prefix(';') {
            let (name, value);
            (name, value, rest) = read_parameter(parameter.trim_start_matches(is_blank))?;
            if name.eq_ignore_ascii_case("charset") {
                is_utf8 &= ["utf-8", "utf8", "us-ascii"]
                    .iter()
                    .any(|known| value.eq_ignore_ascii_case(known));
            }
        }
        rest.is_empty().then_some(Self {
            is_json: subtype == "json" || subtype.ends_with("+json"),
            is_utf8,
        })
    }
}

/// The name and the value of a parameter, and what follows them. A `;` with nothing behind it is let
/// pass, as many a sender leaves one.
fn read_parameter(text: &str) -> Option<(&str, String, &str)> {
    if text.is_empty() {
        return Some(("", String::new(), ""));
    }
    let (name, value) = text.split_once('=')?;
    if !is_token(name) {
        return None;
    }
    let Some(quoted) = value.strip_prefix('"') else {
        let end = value.find(';').unwrap_or(value.len());
        let (value, rest) = value.split_at(end);
        let value = value.trim_end_matches(is_blank);
        return is_token(value).then(|| (name, value.to_owned(), rest));
    };
    let mut unquoted = String::new();
    let mut signs = quoted.char_indices();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '"' => {
                return Some((
                    name,
                    unquoted,
                    quoted[at + 1..].trim_start_matches(is_blank),
                ));
            }
            '\\' => unquoted.push(signs.next()?.1),
            sign => unquoted.push(sign),
        }
    }
    None
}

const fn is_blank(sign: char) -> bool {
    matches!(sign, ' ' | '\t')
}

fn is_token(text: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`{|}~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_read_whatever_their_case_and_parameters() {
        for (text, is_json, is_utf8) in [
            ("application/json", true, true),
            ("Application/JSON", true, true),
            ("text/json", true, true),
            ("application/vnd.acme.v1+json", true, true),
            ("application/problem+JSON; charset=UTF-8", true, true),
            ("application/json;charset=\"utf-8\"", true, true),
            (
                "application/json ; a=\"x;charset=latin1\" ; b=c",
                true,
                true,
            ),
            ("application/json;a=\"\\\"\"", true, true),
            ("application/json;", true, true),
            ("application/json; charset=iso-8859-1", true, false),
            ("application/json; CHARSET=\"utf-16\"", true, false),
            ("text/plain", false, true),
            ("application/jsonp", false, true),
            ("application/json+xml", false, true),
            ("application/xml", false, true),
            ("image/png", false, true),
        ] {
            let expected = Some(ContentType { is_json, is_utf8 });
            assert_eq!(ContentType::parse(text), expected, "{text}");
        }
        for text in [
            "",
            "json",
            "application",
            "application/",
            "/json",
            "application/json/x",
            "application json",
            "application/js on",
            "application/json; charset",
            "application/json; =x",
            "application/json; a=\"x",
            "application/json; a=\"x\"y",
            "application/json, text/plain",
            "application/json; a=b c",
            "äpplication/json",
        ] {
            assert_eq!(ContentType::parse(text), None, "{text}");
        }
    }
}

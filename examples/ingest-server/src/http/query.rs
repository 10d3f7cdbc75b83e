//! The query of a target. One rule on every route of both listeners: each parameter is known and
//! stands there once, and a route that takes none refuses any, so that a misspelt one is not ignored.

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use http::{Uri, request::Parts};

use super::problem::Problem;
use crate::{pipeline::rejection::Rejection, quality::Reason};

/// The parameters that were given, by their names.
#[derive(Debug)]
pub(super) struct Query(Vec<(&'static str, String)>);

/// The query of a route that takes none.
#[derive(Debug)]
pub(super) struct NoQuery;

impl Query {
    /// Reads `name=value` pairs in the encoding of forms.
    pub(super) fn read(target: &Uri, known: &[&'static str]) -> Result<Self, Rejection> {
        let mut given: Vec<(&'static str, String)> = Vec::new();
        let pairs = target.query().unwrap_or_default().split('&');
        for pair in pairs.filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let Some(name) = decode(name) else {
                return Err(refuse(
                    "the name of a parameter is not valid percent-encoding of UTF-8",
                    known,
                ));
            };
            let Some(name) = known.iter().find(|known| **known == name) else {
                return Err(refuse(&format!("{} is unknown", presentable(&name)), known));
            };
            if given.iter().any(|(given, _)| given == name) {
                return Err(refuse(&format!("`{name}` is given more than once"), known));
            }
            let Some(value) = decode(value) else {
                let fault = format!("`{name}` is not valid percent-encoding of UTF-8");
                return Err(refuse(&fault, known));
            };
            given.push((name, value));
        }
        Ok(Self(given))
    }

    /// Takes out the value of a parameter.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(given, _)| *given == name)?;
        Some(self.0.swap_remove(at).1)
    }

    /// The parameter, if there is one and no other.
    pub(super) fn only(self) -> Option<(&'static str, String)> {
        <[_; 1]>::try_from(self.0).ok().map(|[only]| only)
    }
}

impl NoQuery {
    pub(super) fn read(target: &Uri) -> Result<Self, Rejection> {
        Query::read(target, &[]).map(|_| Self)
    }
}

impl<S: Sync> FromRequestParts<S> for NoQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::read(&parts.uri).map_err(Problem::from)
    }
}

/// What was decoded, `+` being a blank; nothing for half an escape or other text than UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        rest = match rest {
            [] => return String::from_utf8(bytes).ok(),
            [b'%', high, low, rest @ ..] => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                let byte = digit(high)? * 16 + digit(low)?;
                bytes.push(u8::try_from(byte).ok()?);
                rest
            }
            [b'%', ..] => return None,
            [b'+', rest @ ..] => {
                bytes.push(b' ');
                rest
            }
            [byte, rest @ ..] => {
                bytes.push(*byte);
                rest
            }
        }
    }
}

/// A name as an answer may repeat it: only what cannot be a value that lost its name.
fn presentable(name: &str) -> Cow<'static, str> {
    let is_word = name.len() <= 32
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'-'));
    if is_word {
        format!("`{name}`").into()
    } else {
        "a parameter".into()
    }
}

fn refuse(fault: &str, known: &[&'static str]) -> Rejection {
    let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    let known = if known.is_empty() {
        "takes no parameter".to_owned()
    } else {
        format!("takes {}, once each", known.join(", "))
    };
    let detail = format!("{fault}; this resource {known}");
    Rejection::new(Reason::TransportQuery, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 2] = ["email", "after"];

    fn read(query: &str) -> Result<Vec<(&'static str, String)>, String> {
        let target = Uri::try_from(format!("/?{query}")).unwrap();
        let read = Query::read(&target, &KNOWN);
        read.map(|query| query.0)
            .map_err(|rejection| rejection.detail.into_owned())
    }

    #[test]
    fn pairs_are_decoded_as_a_form_is() {
        for (query, expected) in [
            ("", vec![]),
            ("&&", vec![]),
            ("email", vec![("email", "")]),
            ("email=a%40b", vec![("email", "a@b")]),
            ("email=a+b%2Bc%20d", vec![("email", "a b+c d")]),
            (
                "%65mail=a=b&after=%C3%A9",
                vec![("email", "a=b"), ("after", "\u{e9}")],
            ),
        ] {
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(name, value)| (name, value.to_owned()))
                .collect();
            assert_eq!(read(query), Ok(expected), "{query}");
        }
    }

    #[test]
    fn a_fault_names_the_parameter_and_the_known_ones_and_no_value() {
        for (query, fault) in [
            ("shoe=canary", "`shoe` is unknown"),
            ("Email=canary", "a parameter is unknown"),
            ("canary%40example=", "a parameter is unknown"),
            ("5551234567=", "a parameter is unknown"),
            (
                "email=canary&email=canary",
                "`email` is given more than once",
            ),
            ("email=canary&%65mail=", "`email` is given more than once"),
            (
                "email=canary%",
                "`email` is not valid percent-encoding of UTF-8",
            ),
            (
                "email=canary%4",
                "`email` is not valid percent-encoding of UTF-8",
            ),
            (
                "email=canary%zz",
                "`email` is not valid percent-encoding of UTF-8",
            ),
            (
                "email=canary%ff",
                "`email` is not valid percent-encoding of UTF-8",
            ),
            (
                "%ff=canary",
                "the name of a parameter is not valid percent-encoding of UTF-8",
            ),
        ] {
            let detail = read(query).unwrap_err();
            let expected = format!("{fault}; this resource takes `email`, `after`, once each");
            assert_eq!(detail, expected, "{query}");
        }
        let target = Uri::from_static("/?x=1");
        let detail = NoQuery::read(&target).unwrap_err().detail;
        assert_eq!(detail, "`x` is unknown; this resource takes no parameter");
    }
}

//! The binary content mode of the CloudEvents HTTP binding 1.0.2, 3.1: the attributes are headers, the
//! body is the data.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use serde_json::Value;

use super::{Frame, Members};
use crate::{json, pipeline::rejection::Rejection, quality::Reason};

const PREFIX: &str = "ce-";

/// The header that says that a request is an event in this mode; the others may stand on any.
const MARK: &str = "ce-specversion";

/// Whether the headers are those of an event whose body is its data.
pub(super) fn is_meant(headers: &HeaderMap, media_type: Option<&str>) -> bool {
    // In the other modes they are copies that decide nothing (3.2.3).
    let is_cloudevents = media_type.is_some_and(|name| name.starts_with("application/cloudevents"));
    headers.contains_key(MARK) && !is_cloudevents
}

/// The event, in the form that it would have in one text.
///
/// # Errors
/// The body is not JSON. Headers that are wrong reject the event.
pub(super) fn frame(headers: &HeaderMap, body: &Bytes) -> Result<Frame, Rejection> {
    let mut event = attributes(headers);
    if !body.is_empty() {
        let data = json::read_data(body)?;
        if let Ok(members) = &mut event {
            members.set("data", data);
        }
    }
    Ok(Frame {
        text: body.clone(),
        members: event,
    })
}

fn attributes(headers: &HeaderMap) -> Result<Box<Members>, Rejection> {
    let mut attributes = Box::<Members>::default();
    for name in headers.keys() {
        let Some(attribute) = name.as_str().strip_prefix(PREFIX) else {
            continue;
        };
        // Names that others may have made up are not repeated.
        let shown = match attribute {
            "specversion" | "id" | "source" | "type" | "time" | "subject" | "dataschema"
            | "traceparent" | "tracestate" | "datacontenttype" => name.as_str(),
            _ => "ce-…",
        };
        match attribute {
            "datacontenttype" => {
                return Err(invalid(format!(
                    "`{shown}` must not be sent: `Content-Type` is the media type of the data"
                )));
            }
            "data" | "data_base64" => {
                return Err(invalid("the data is the body, not a header `ce-data`"));
            }
            _ => {}
        }
        let mut values = headers.get_all(name).iter();
        let value = match (values.next(), values.next()) {
            (Some(value), None) => decode(value),
            _ => {
                return Err(invalid(format!(
                    "the header `{shown}` stands more than once"
                )));
            }
        };
        let value = value.map_err(|why| invalid(format!("the header `{shown}` {why}")))?;
        attributes.set(attribute, Value::String(value));
    }
    if let Some(media_type) = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
    {
        attributes.set("datacontenttype", media_type.into());
    }
    Ok(attributes)
}

/// What a header's value stands for: quotes are removed, then percent-encoding, once (3.1.3.2).
fn decode(value: &HeaderValue) -> Result<String, &'static str> {
    let text = value
        .to_str()
        .map_err(|_| "must be percent-encoded: it has bytes that are not ASCII")?;
    let text = unquote(text).ok_or("has a quotation mark without its other one")?;
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |at: usize| char::from(*rest.get(at)?).to_digit(16);
        let escaped = digit(0).zip(digit(1));
        let escaped = escaped.and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        bytes.push(escaped.ok_or("has a `%` without two hexadecimal digits")?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8 once it is percent-decoded")
}

/// The text without the quotation marks of quoted strings in it (RFC 7230, 3.2.6).
fn unquote(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('"') {
        return Some(Cow::Borrowed(text));
    }
    let mut unquoted = String::with_capacity(text.len());
    let mut is_quoted = false;
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '"' => is_quoted = !is_quoted,
            '\\' if is_quoted => unquoted.push(signs.next()?),
            sign => unquoted.push(sign),
        }
    }
    (!is_quoted).then_some(Cow::Owned(unquoted))
}

fn invalid(detail: impl Into<Cow<'static, str>>) -> Rejection {
    Rejection::new(Reason::EnvelopeInvalidAttribute, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_unquoted_then_decoded_once() {
        for (sent, meant) in [
            ("plain", "plain"),
            ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
            ("%e2%82%ac", "€"),
            ("%61bc", "abc"),
            ("%2520", "%20"),
            ("a b", "a b"),
            ("\"a b\"", "a b"),
            ("\"a \\\"b\\\" \\\\\"", "a \"b\" \\"),
            ("\"%20\"", " "),
            ("a\"b\"c", "abc"),
            ("a\\b", "a\\b"),
            ("\"\"", ""),
            ("", ""),
        ] {
            let value = HeaderValue::from_str(sent).unwrap();
            assert_eq!(decode(&value).as_deref(), Ok(meant), "{sent}");
        }
        for sent in [
            "%",
            "%2",
            "%zz",
            "%+1",
            "a%",
            "%C0%A0",
            "%ff",
            "%ED%A0%80",
            "\"a",
            "a\"",
            "\"a\\\"",
        ] {
            let value = HeaderValue::from_str(sent).unwrap();
            assert!(decode(&value).is_err(), "{sent}");
        }
        assert!(decode(&HeaderValue::from_bytes("€".as_bytes()).unwrap()).is_err());
    }
}

//! The attributes that are not kept: `subject`, and those that CloudEvents does not define.

use serde_json::Value;

use super::{
    DroppedText,
    attributes::{Attributes, is_text},
};
use crate::{
    pipeline::{frame::Defined, rejection::Rejection},
    quality::Reason,
    schemas::hint,
};

/// Extensions that the project documents, by which a misspelt one is recognised.
const DOCUMENTED: [&str; 11] = [
    "correlationid",
    "causationid",
    "dataref",
    "expirytime",
    "partitionkey",
    "recordedtime",
    "sampledrate",
    "sequence",
    "severitytext",
    "traceparent",
    "tracestate",
];

/// Checks what is dropped, and gives the texts in it with the place of each. What is kept, and the two of
/// these that say how to read the data, were checked when they were read.
pub(super) fn check(mut attributes: Attributes) -> Result<Vec<DroppedText>, Rejection> {
    let mut texts = Vec::new();
    for (member, place) in [
        (Defined::DataSchema, "`dataschema`"),
        (Defined::DataContentType, "`datacontenttype`"),
    ] {
        if let Some(Value::String(text)) = attributes.take(member) {
            texts.push(dropped(place, text));
        }
    }
    if let Some(value) = attributes.take(Defined::Subject) {
        texts.push(dropped("`subject`", subject(value)?));
    }
    for (name, value) in attributes.into_extensions() {
        check_name(&name)?;
        let text = match check_value(value)? {
            Value::String(text) if name == "traceparent" && is_traceparent(&text) => None,
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        texts.extend(text.map(|text| DroppedText {
            name: name.clone(),
            ..dropped(PLACE, text)
        }));
        texts.push(dropped(PLACE, name));
    }
    Ok(texts)
}

fn subject(value: Value) -> Result<String, Rejection> {
    match value {
        Value::String(text) if !text.is_empty() && is_text(&text) => Ok(text),
        _ => Err(invalid(
            "`subject` must be text, not empty and without control characters",
        )),
    }
}

fn dropped(place: &'static str, text: String) -> DroppedText {
    DroppedText {
        place,
        name: String::new(),
        text,
    }
}

const PLACE: &str = "an extension attribute";

/// A name has lower-case letters and digits (CloudEvents, 3.1). That it should have at most 20 of
/// them is advice to who defines one, and no reason to refuse it here, where it is not stored.
fn check_name(name: &str) -> Result<(), Rejection> {
    let is_sign = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !name.is_empty() && name.bytes().all(is_sign) {
        return Ok(());
    }
    let defined = Defined::ALL.map(Defined::as_str).into_iter();
    let known = defined.chain(DOCUMENTED);
    Err(invalid(format!(
        "the name of an attribute must be of lower-case letters and digits; of one here, {}",
        hint(name, known)
    )))
}

/// A value is of CloudEvents' type system: a boolean, an integer of 32 bits, or a string, which the
/// other types are in JSON.
fn check_value(value: Value) -> Result<Value, Rejection> {
    let is_allowed = match &value {
        Value::Bool(_) => true,
        Value::Number(number) => number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
        Value::String(text) => is_text(text),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    };
    if is_allowed {
        return Ok(value);
    }
    Err(invalid(
        "an extension attribute must be a boolean, an integer of 32 bits, or text without control \
         characters; anything else belongs into `data`",
    ))
}

/// Whether a text has the form of a `traceparent` (Trace Context, 3.2.2): random digits, among which
/// one of many thousands looks like a card or a telephone number.
fn is_traceparent(text: &str) -> bool {
    const LENGTHS: [usize; 4] = [2, 32, 16, 2];
    let is_hex = |part: &str| {
        part.bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let parts: Vec<&str> = text.splitn(LENGTHS.len() + 1, '-').collect();
    parts.iter().map(|part| part.len()).eq(LENGTHS) && parts.into_iter().all(is_hex)
}

fn invalid(detail: impl Into<std::borrow::Cow<'static, str>>) -> Rejection {
    Rejection::new(Reason::EnvelopeInvalidAttribute, detail)
}

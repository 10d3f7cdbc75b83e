//! Redacts every text of a span.

use std::borrow::Cow;

use opentelemetry::{Array, KeyValue, StringValue, Value, trace::Status};
use opentelemetry_sdk::trace::SpanData;

use crate::redact::{HIDDEN, Redactor};

/// The attribute that carries an error's text: the rules for its name hold for a status description.
const ERROR_TEXT: &str = "exception.message";

/// Hides secrets and personal data in every text of the span.
pub(super) fn redact(span: &mut SpanData, redactor: &Redactor) {
    redact_text(&mut span.name, redactor);
    redact_attributes(&mut span.attributes, redactor);
    for event in &mut span.events.events {
        redact_text(&mut event.name, redactor);
        redact_attributes(&mut event.attributes, redactor);
    }
    for link in &mut span.links.links {
        redact_attributes(&mut link.attributes, redactor);
    }
    match &mut span.status {
        Status::Error { description } if !description.is_empty() => {
            if redactor.hides(ERROR_TEXT) {
                *description = HIDDEN.into();
            } else {
                redact_text(description, redactor);
            }
        }
        _ => {}
    }
}

fn redact_attributes(attributes: &mut [KeyValue], redactor: &Redactor) {
    for attribute in attributes {
        if redactor.hides(attribute.key.as_str()) {
            attribute.value = HIDDEN.into();
        } else {
            redact_value(&mut attribute.value, redactor);
        }
    }
}

fn redact_value(value: &mut Value, redactor: &Redactor) {
    match value {
        Value::String(text) => redact_string(text, redactor),
        Value::I64(number) => {
            if let Cow::Owned(masked) = redactor.mask(&number.to_string()) {
                *value = masked.into();
            }
        }
        Value::Array(Array::String(texts)) => {
            texts
                .iter_mut()
                .for_each(|text| redact_string(text, redactor));
        }
        Value::Array(Array::I64(numbers)) => {
            let hidden = numbers
                .iter()
                .any(|n| matches!(redactor.mask(&n.to_string()), Cow::Owned(_)));
            if hidden {
                *value = HIDDEN.into();
            }
        }
        _ => {}
    }
}

fn redact_string(text: &mut StringValue, redactor: &Redactor) {
    if let Cow::Owned(masked) = redactor.mask(text.as_str()) {
        *text = masked.into();
    }
}

fn redact_text(text: &mut Cow<'static, str>, redactor: &Redactor) {
    if let Cow::Owned(masked) = redactor.mask(text) {
        *text = masked.into();
    }
}

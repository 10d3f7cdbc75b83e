//! Samples of discarded events show how data is shaped, not what it says.

use std::sync::Arc;

use portcullis_dq_metrics::Masker;
use portcullis_telemetry::Redactor;
use serde_json::Value;

/// Keeps the structure of JSON and replaces what its values say: letters by `a`, digits by `9`.
/// A broken phone number still shows what is broken about it (`+99 (99) 999-999`). Text that is not
/// JSON passes the redactor.
#[derive(Debug)]
pub(super) struct ShapeMasker {
    redactor: Arc<Redactor>,
}

/// Attributes of the envelope that hold names of schemas.
const SHOWN: [&str; 3] = ["type", "dataschema", "specversion"];

impl ShapeMasker {
    pub(super) const fn new(redactor: Arc<Redactor>) -> Self {
        Self { redactor }
    }

    fn envelope(&self, value: Value) -> Value {
        match value {
            Value::Object(members) => {
                let masked = members.into_iter().map(|(name, value)| match value {
                    Value::String(text) if SHOWN.contains(&name.as_str()) => {
                        let text = self.redactor.mask(&text).into_owned();
                        (name, Value::String(text))
                    }
                    value => (self.redactor.mask(&name).into_owned(), self.shape(value)),
                });
                Value::Object(masked.collect())
            }
            value => self.shape(value),
        }
    }

    fn shape(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(shape(&text)),
            // A number may be a phone number.
            Value::Number(number) => Value::String(shape(&number.to_string())),
            Value::Array(items) => items.into_iter().map(|item| self.shape(item)).collect(),
            Value::Object(members) => {
                let masked = members.into_iter().map(|(name, value)| {
                    (self.redactor.mask(&name).into_owned(), self.shape(value))
                });
                Value::Object(masked.collect())
            }
            value => value,
        }
    }
}

impl Masker for ShapeMasker {
    fn mask(&self, text: &str) -> String {
        match serde_json::from_str(text) {
            Ok(value @ (Value::Object(_) | Value::Array(_))) => self.envelope(value).to_string(),
            _ => self.redactor.mask(text).into_owned(),
        }
    }
}

fn shape(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            character if character.is_alphabetic() => 'a',
            character if character.is_numeric() => '9',
            character => character,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use portcullis_telemetry::Redaction;

    use super::*;

    #[test]
    fn structure_stays_and_values_go() {
        let masker = ShapeMasker::new(Arc::new(Redactor::new(Redaction::standard())));
        let text = r#"{"type":"lead.created","id":"x1","data":{"email":"ada@b.example","phone":442079460958,"ok":true,"none":null}}"#;
        assert_eq!(
            masker.mask(text),
            r#"{"data":{"email":"aaa@a.aaaaaaa","none":null,"ok":true,"phone":"999999999999"},"id":"a9","type":"lead.created"}"#
        );
        assert_eq!(masker.mask("page.viewed"), "page.viewed");
        assert!(!masker.mask("ada@b.example").contains("ada"));
        assert!(
            !masker
                .mask(r#"{"type":"ada@b.example","ada@b.example":1}"#)
                .contains("ada")
        );
    }
}

//! Samples of discarded events show how data is shaped, not what it says.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use portcullis_dq_metrics::sample::Masker;
use portcullis_telemetry::Redactor;
use serde_json::{Map, Value};

use crate::{json, schemas::Schemas};

/// Keeps the structure of JSON and replaces what it says: letters by `a`, digits by `9`. A broken
/// phone number still shows what is broken about it (`+99 (99) 999-999`). What stays is what the
/// service knows itself: names of members and event types. Text that is not JSON is all shape.
#[derive(Debug)]
pub(super) struct ShapeMasker {
    members: HashSet<String>,
    event_types: HashSet<String>,
    redactor: Arc<Redactor>,
}

/// The attributes of CloudEvents 1.0, of its JSON format and its tracing extension.
const ATTRIBUTES: [&str; 12] = [
    "data",
    "data_base64",
    "datacontenttype",
    "dataschema",
    "id",
    "source",
    "specversion",
    "subject",
    "time",
    "traceparent",
    "tracestate",
    "type",
];

/// The longest version that is shown: too short to say anything about a person.
const LONGEST_VERSION: usize = 4;

impl ShapeMasker {
    pub(super) fn new(schemas: &Schemas, redactor: Arc<Redactor>) -> Self {
        let members = schemas.members().chain(ATTRIBUTES);
        let event_types = schemas.names().map(|(event_type, ..)| event_type);
        Self {
            members: members.map(str::to_owned).collect(),
            event_types: event_types.map(str::to_owned).collect(),
            redactor,
        }
    }

    fn event(&self, attributes: Map<String, Value>) -> String {
        let masked = attributes.into_iter().map(|(name, value)| {
            let value = match value {
                Value::String(text) if self.may_show(&name, &text) => quoted(&text),
                value => self.value(value),
            };
            (self.member(name), value)
        });
        object(masked.collect())
    }

    fn may_show(&self, attribute: &str, text: &str) -> bool {
        match attribute {
            "type" => self.event_types.contains(text),
            "dataschema" | "specversion" => is_version(text),
            _ => false,
        }
    }

    /// The JSON text of a value. A number stays one, since a sender may have quoted it or not, and
    /// goes digit by digit like a text: it may be a phone number.
    fn value(&self, value: Value) -> String {
        match value {
            Value::String(text) => quoted(&shape(&text)),
            Value::Number(number) => shape_of_number(&number.to_string()),
            Value::Array(items) => {
                let items = items.into_iter().map(|item| self.value(item));
                format!("[{}]", items.collect::<Vec<_>>().join(","))
            }
            Value::Object(members) => {
                let masked = members
                    .into_iter()
                    .map(|(name, value)| (self.member(name), self.value(value)));
                object(masked.collect())
            }
            value => value.to_string(),
        }
    }

    fn member(&self, name: String) -> String {
        if self.members.contains(&name) {
            name
        } else {
            shape(&name)
        }
    }
}

impl Masker for ShapeMasker {
    fn mask_payload(&self, payload: &str) -> String {
        match json::read(payload.as_bytes()) {
            Ok(Value::Object(attributes)) => self.event(attributes),
            Ok(value) => self.value(value),
            Err(_) => shape(payload),
        }
    }

    /// Details are written by this service and names have to look like identifiers, so that
    /// patterns suffice.
    fn mask_text(&self, text: &str) -> String {
        self.redactor.mask(text).into_owned()
    }
}

/// Shows samples as they came, where logs and spans hide nothing either.
#[derive(Debug)]
pub(super) struct Unmasked;

impl Masker for Unmasked {
    fn mask_payload(&self, payload: &str) -> String {
        payload.to_owned()
    }

    fn mask_text(&self, text: &str) -> String {
        text.to_owned()
    }
}

/// Names that became the same stand once.
fn object(members: BTreeMap<String, String>) -> String {
    let members = members.iter();
    let members = members.map(|(name, value)| format!("{}:{value}", quoted(name)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Signs, point and exponent show what kind of number it is.
fn shape_of_number(number: &str) -> String {
    let digits = |character: char| {
        if character.is_ascii_digit() {
            '9'
        } else {
            character
        }
    };
    number.chars().map(digits).collect()
}

fn is_version(text: &str) -> bool {
    text.len() <= LONGEST_VERSION && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// Only signs of ASCII say nothing; every other script counts as letters.
fn shape(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            character if character.is_numeric() => '9',
            character if character.is_alphabetic() || !character.is_ascii() => 'a',
            character => character,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use portcullis_telemetry::Redaction;

    use super::*;

    fn masker() -> ShapeMasker {
        let redactor = Redactor::new(Redaction::standard());
        ShapeMasker::new(&Schemas::load(None).unwrap(), Arc::new(redactor))
    }

    fn masked(payload: &str) -> String {
        masker().mask_payload(payload)
    }

    #[test]
    fn structure_stays_and_values_go() {
        let text = r#"{"type":"lead.created","id":"x1","data":{"email":"ada@b.example","phone":442079460958,"channel":true,"notes":null}}"#;
        assert_eq!(
            masked(text),
            r#"{"data":{"channel":true,"email":"aaa@a.aaaaaaa","notes":null,"phone":999999999999},"id":"a9","type":"lead.created"}"#
        );
    }

    #[test]
    fn names_stay_if_the_service_knows_them() {
        for (payload, expected) in [
            (
                r#"{"Ada Lovelace":{"Ada":1}}"#,
                r#"{"aaa aaaaaaaa":{"aaa":9}}"#,
            ),
            (r#"{"type":"Ada"}"#, r#"{"type":"aaa"}"#),
            (r#"{"ada@b.example":1}"#, r#"{"aaa@a.aaaaaaa":9}"#),
            (
                r#"{"data":{"type":"lead.created"}}"#,
                r#"{"data":{"type":"aaaa.aaaaaaa"}}"#,
            ),
            (
                r#"{"dataschema":"3","specversion":"1.0"}"#,
                r#"{"dataschema":"3","specversion":"1.0"}"#,
            ),
            (r#"{"dataschema":"52998"}"#, r#"{"dataschema":"99999"}"#),
            (
                r#"[{"form":"Ada","answers":[]}]"#,
                r#"[{"answers":[],"form":"aaa"}]"#,
            ),
        ] {
            assert_eq!(masked(payload), expected, "{payload}");
        }
    }

    #[test]
    fn scalars_and_what_does_not_parse_are_all_shape() {
        for (payload, expected) in [
            (r#""Ada, 12 Main St""#, r#""aaa, 99 aaaa aa""#),
            ("442079460958", "999999999999"),
            (r#""442079460958""#, r#""999999999999""#),
            (
                r#"{"data":{"answers":[1299,"1299",-12.5,"-12.5",1.5e300,18446744073709551615,null]}}"#,
                r#"{"data":{"answers":[9999,"9999",-99.9,"-99.9",9.9e+999,99999999999999999999,null]}}"#,
            ),
            (r#"{"name":"Ada","x":1e999}"#, r#"{"aaaa":"aaa","a":9a999}"#),
            (r#"{"name":"Ada\ud800"}"#, r#"{"aaaa":"aaa\aa999"}"#),
            ("Ада ٣ 愛 ⠁", "aaa 9 a a"),
        ] {
            assert_eq!(masked(payload), expected, "{payload}");
        }
    }

    #[test]
    fn texts_lose_what_patterns_find() {
        assert_eq!(masker().mask_text("page.viewed"), "page.viewed");
        assert_eq!(masker().mask_text("ada@b.example"), "[email]");
    }
}

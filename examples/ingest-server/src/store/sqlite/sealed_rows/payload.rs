//! Sealed values within an event's payload: texts, wherever they stand.

use portcullis_pii_crypto::{AnyPii, Sealed};
use serde_json::Value;

use crate::{
    json,
    store::{StoreError, sqlite::failure::Failure},
};

/// Reads the payload of a row.
pub(super) fn read(text: &str) -> Result<Value, Failure> {
    let payload = json::read_data(text.as_bytes());
    payload.map_err(|_| StoreError::Malformed("payload").into())
}

/// Every text that has the form of a sealed value, with its pointer. One that a client made up has it too.
pub(in crate::store::sqlite) fn sealed_texts(payload: &Value) -> Vec<(String, Sealed<AnyPii>)> {
    let mut found = Vec::new();
    visit(payload, &mut String::new(), &mut found);
    found
}

fn visit(value: &Value, pointer: &mut String, found: &mut Vec<(String, Sealed<AnyPii>)>) {
    let length = pointer.len();
    match value {
        Value::String(text) => {
            if let Ok(sealed) = text.parse() {
                found.push((pointer.clone(), sealed));
            }
        }
        Value::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                pointer.push_str(&format!("/{at}"));
                visit(value, pointer, found);
                pointer.truncate(length);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                pointer.push('/');
                pointer.push_str(&json::escaped(name));
                visit(value, pointer, found);
                pointer.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

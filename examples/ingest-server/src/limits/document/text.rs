//! Limits as TOML.

use serde_json::{Map, Value};
use toml::de::{DeInteger, DeTable, DeValue};

use super::{GivenLimits, InvalidLimits, read as read_document};

/// Why a text holds no limits: what is wrong, and on which line.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {why}")]
pub(super) struct InvalidText {
    line: usize,
    why: String,
}

/// What stands above limits that `PUT` wrote.
const WRITTEN: &str =
    "# Written by `PUT /admin/limits`, in place of what stood here before and its comments.\n\n";

/// Says that all is as by default.
const DEFAULTS: &str = "[tier]\n";

/// Reads limits from a text.
pub(super) fn read(text: &[u8]) -> Result<GivenLimits, InvalidText> {
    let text = std::str::from_utf8(text).map_err(|error| InvalidText {
        line: line_of(text, error.valid_up_to()),
        why: "is not UTF-8 text".to_owned(),
    })?;
    let table = DeTable::parse(text).map_err(|error| InvalidText {
        line: line_of(text.as_bytes(), error.span().unwrap_or_default().start),
        why: format!("is not TOML: {}", error.message()),
    })?;
    let table = table.into_inner();
    read_document(json_of_table(&table)).map_err(|error| InvalidText {
        line: line_of(text.as_bytes(), offset_of(&table, &error)),
        why: error.to_string(),
    })
}

/// Limits that were read from JSON, as a text.
///
/// # Errors
/// Never for limits that can be used.
pub(crate) fn write(document: &Value) -> Result<String, toml::ser::Error> {
    let text = toml::to_string(&without_nulls(document))?;
    // Comments alone could be all of a file that is cut off, and are not read.
    let text = if text.is_empty() { DEFAULTS } else { &text };
    Ok(format!("{WRITTEN}{text}"))
}

/// Stands for what limits have nowhere, and is that as well.
const WRONG: Value = Value::Bool(false);

fn json_of(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(number) => json_of_integer(number),
        DeValue::Boolean(is_true) => Value::from(*is_true),
        DeValue::Table(table) => json_of_table(table),
        DeValue::Array(_) | DeValue::Float(_) | DeValue::Datetime(_) => WRONG,
    }
}

fn json_of_integer(number: &DeInteger<'_>) -> Value {
    let number = i64::from_str_radix(number.as_str(), number.radix());
    number.map_or(WRONG, Value::from)
}

fn json_of_table(table: &DeTable<'_>) -> Value {
    let members = table.iter();
    let members =
        members.map(|(name, value)| (name.get_ref().to_string(), json_of(value.get_ref())));
    Value::Object(members.collect())
}

/// Where the last name stands that leads to what is wrong and is there.
fn offset_of(table: &DeTable<'_>, error: &InvalidLimits) -> usize {
    let (mut table, mut offset) = (Some(table), 0);
    for name in error.path() {
        let found = table.and_then(|table| table.get_key_value(name));
        let Some((key, value)) = found else {
            break;
        };
        offset = key.span().start;
        table = value.get_ref().as_table();
    }
    offset
}

fn line_of(text: &[u8], offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or(text);
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

/// A limit that is null is none.
fn without_nulls(document: &Value) -> Value {
    match document {
        Value::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            let members = members.map(|(name, value)| (name.clone(), without_nulls(value)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        value => value.clone(),
    }
}

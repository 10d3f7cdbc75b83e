//! What `POST /v1/leads` takes, made from the table of columns.

use serde_json::{Map, Value, json};

use super::{COLUMNS, LeadColumn};

/// The JSON Schema of a lead's body: every column once, at least one of them, nothing else.
pub(crate) fn body_schema() -> Value {
    let property = |column: &LeadColumn| {
        let schema = json!({
            "type": "string",
            "maxLength": column.max_chars(),
            "x-pii": column.kind().name(),
        });
        (column.name().to_owned(), schema)
    };
    let properties: Map<String, Value> = COLUMNS.iter().map(property).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A lead, as POST /v1/leads takes it",
        "type": "object",
        "properties": properties,
        "minProperties": 1,
        "additionalProperties": false,
    })
}

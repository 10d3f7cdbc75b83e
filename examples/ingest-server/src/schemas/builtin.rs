//! The schemas the service comes with.

use std::path::PathBuf;

use super::{DEFAULT_VERSION, LEAD, SchemaError, folder::Document};
use crate::lead::body_schema;

const EVENTS: &[(&str, u32, &str)] = &[
    (
        "form.submitted",
        1,
        include_str!("../../schemas/form.submitted/1.json"),
    ),
    (
        "lead.created",
        1,
        include_str!("../../schemas/lead.created/1.json"),
    ),
    (
        "lead.updated",
        1,
        include_str!("../../schemas/lead.updated/1.json"),
    ),
    (
        "page.viewed",
        1,
        include_str!("../../schemas/page.viewed/1.json"),
    ),
    (
        "page.viewed",
        2,
        include_str!("../../schemas/page.viewed/2.json"),
    ),
    (
        "purchase.completed",
        1,
        include_str!("../../schemas/purchase.completed/1.json"),
    ),
];

pub(super) fn events() -> Vec<Result<Document, SchemaError>> {
    let read = |(event_type, version, text): &(&str, u32, &str)| {
        let path = PathBuf::from(format!("{event_type}/{version}.json"));
        Document::new(path, event_type, *version, text)
    };
    EVENTS.iter().map(read).collect()
}

pub(super) fn lead() -> Document {
    Document {
        path: PathBuf::from("the body of a lead"),
        event_type: LEAD.to_owned(),
        version: DEFAULT_VERSION,
        schema: body_schema(),
    }
}

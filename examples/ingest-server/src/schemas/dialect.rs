//! Which JSON Schema a document is written in, and whether its names are one schema's each.

use std::collections::HashSet;

use referencing::{Draft, Registry, Resolver, uri};
use serde_json::Value;

/// The base of a document that names none, as the validator has it.
const DEFAULT_BASE: &str = "json-schema:///";

/// The draft that a document declares.
///
/// # Errors
/// It, or a schema within it, names none that there is.
pub(super) fn draft(document: &Value) -> Result<Draft, String> {
    let draft = declared(document)?.unwrap_or_default();
    let mut open = vec![(document, draft)];
    while let Some((schema, around)) = open.pop() {
        let draft = declared(schema)?.unwrap_or(around);
        open.extend(draft.subresources_of(schema).map(|inner| (inner, draft)));
    }
    Ok(draft)
}

fn declared(schema: &Value) -> Result<Option<Draft>, String> {
    let Some(name) = schema.get("$schema") else {
        return Ok(None);
    };
    match name.as_str().map(Draft::from_schema_uri) {
        None | Some(Draft::Unknown) => Err(format!(
            "`$schema` is {name}, which is no published JSON Schema: use \
             \"https://json-schema.org/draft/2020-12/schema\""
        )),
        draft => Ok(draft),
    }
}

/// Finds what references within a document mean, as the validator does.
///
/// # Errors
/// A reference leads to another document, or to nothing.
pub(super) fn registry(document: &Value, draft: Draft) -> Result<Registry<'_>, String> {
    let resource = draft.create_resource_ref(document);
    let base = resource.id().unwrap_or(DEFAULT_BASE).to_owned();
    let registry = Registry::new().draft(draft).add(base, resource);
    let registry = registry.and_then(referencing::RegistryBuilder::prepare);
    registry.map_err(|error| match error {
        referencing::Error::Unretrievable { uri, .. } => format!(
            "`{uri}` is another document, and none is fetched: put what is referred to under `$defs`"
        ),
        error => error.to_string(),
    })
}

/// The resolver of a document's root.
pub(super) fn root<'r>(
    registry: &'r Registry<'_>,
    document: &Value,
    draft: Draft,
) -> Result<Resolver<'r>, String> {
    let resource = draft.create_resource_ref(document);
    let base = uri::from_str(resource.id().unwrap_or(DEFAULT_BASE));
    Ok(registry.resolver(base.map_err(|error| error.to_string())?))
}

/// Refuses two schemas of one `$id`, and two of one anchor: a reference would mean either.
pub(super) fn check_names(
    document: &Value,
    draft: Draft,
    root: &Resolver<'_>,
) -> Result<(), String> {
    let mut names = HashSet::new();
    let mut open = vec![(document, draft, root.clone(), true)];
    while let Some((schema, draft, around, is_root)) = open.pop() {
        let draft = draft.detect(schema);
        let resource = draft.create_resource_ref(schema);
        let resolver = around.in_subresource(resource);
        let resolver = resolver.map_err(|error| error.to_string())?;
        let base = resolver.base_uri();
        if (is_root || resource.id().is_some()) && !names.insert((base.to_string(), String::new()))
        {
            return Err(format!("two schemas have the `$id` `{base}`"));
        }
        for keyword in ["$anchor", "$dynamicAnchor"] {
            let anchor = schema.get(keyword).and_then(Value::as_str);
            if let Some(anchor) = anchor
                && !names.insert((base.to_string(), anchor.to_owned()))
            {
                return Err(format!("two schemas have the anchor `{anchor}`"));
            }
        }
        let inner = draft.subresources_of(schema);
        open.extend(inner.map(|inner| (inner, draft, resolver.clone(), false)));
    }
    Ok(())
}

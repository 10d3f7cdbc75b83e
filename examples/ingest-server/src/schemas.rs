//! JSON Schemas of what is accepted, with the places where they say personal data stands.

mod builtin;
mod folder;
mod personal;
mod violation;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use jsonschema::Validator;
use serde_json::Value;

use crate::files::Unreadable;

pub(crate) use self::{
    personal::PersonalPath,
    violation::{Violation, ViolationKind},
};

/// The version an event has that names none: the first, so that a client's events keep their
/// meaning when a schema gets a successor.
pub(crate) const DEFAULT_VERSION: u32 = 1;

/// What a lead's schema is called where event types are named.
pub(crate) const LEAD: &str = "lead";

/// Every schema the service accepts.
#[derive(Debug)]
pub(crate) struct Schemas {
    events: BTreeMap<String, BTreeMap<u32, Arc<Schema>>>,
    lead: Arc<Schema>,
}

/// One compiled schema.
#[derive(Debug)]
pub(crate) struct Schema {
    validator: Validator,
    personal: Vec<PersonalPath>,
    members: BTreeSet<String>,
}

/// Why a schema was not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unplanned {
    Type,
    Version,
}

/// A schema cannot be used. Schemas are the operator's, so the message may quote them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SchemaError {
    #[error("{0}: {1}")]
    Unreadable(PathBuf, Unreadable),
    #[error("{0}: is not JSON: {1}")]
    NotJson(PathBuf, serde_json::Error),
    #[error("{0}: must be named `<type>/<version>.json` with a version from 1")]
    Name(PathBuf),
    #[error("{0}: is not a usable JSON Schema: {1}")]
    Schema(PathBuf, String),
    #[error("{0}: `x-pii` cannot be honoured: {1}: {2}")]
    Personal(PathBuf, String, &'static str),
    #[error("{0}: holds no schema")]
    Empty(PathBuf),
}

impl Schemas {
    /// The folder's event schemas, or the built-in ones.
    ///
    /// # Errors
    /// What is wrong with each schema that cannot be used.
    pub(crate) fn load(folder: Option<&Path>) -> Result<Self, Vec<SchemaError>> {
        let documents = match folder {
            Some(folder) => folder::read(folder),
            None => builtin::events(),
        };
        let mut events: BTreeMap<String, BTreeMap<u32, Arc<Schema>>> = BTreeMap::new();
        let mut errors = Vec::new();
        for document in documents {
            let compiled = document.and_then(|document| {
                let schema = Schema::compile(&document.path, &document.schema)?;
                Ok((document.event_type, document.version, schema))
            });
            match compiled {
                Ok((event_type, version, schema)) => {
                    let versions = events.entry(event_type).or_default();
                    versions.insert(version, Arc::new(schema));
                }
                Err(error) => errors.push(error),
            }
        }
        match builtin::lead() {
            Ok(lead) if errors.is_empty() => Ok(Self {
                events,
                lead: Arc::new(lead),
            }),
            Ok(_) => Err(errors),
            Err(error) => {
                errors.push(error);
                Err(errors)
            }
        }
    }

    /// The schema of an event.
    pub(crate) fn event(&self, event_type: &str, version: u32) -> Result<&Arc<Schema>, Unplanned> {
        let versions = self.events.get(event_type).ok_or(Unplanned::Type)?;
        versions.get(&version).ok_or(Unplanned::Version)
    }

    /// Every event schema's type and version, and whether it is the type's latest.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, u32, bool)> {
        self.events.iter().flat_map(|(event_type, versions)| {
            let latest = versions.keys().next_back().copied();
            versions
                .keys()
                .map(move |version| (event_type.as_str(), *version, Some(*version) == latest))
        })
    }

    /// The names of members that any schema declares.
    pub(crate) fn members(&self) -> impl Iterator<Item = &str> {
        let events = self.events.values().flat_map(BTreeMap::values);
        let schemas = events.chain([&self.lead]);
        schemas.flat_map(|schema| schema.members.iter().map(String::as_str))
    }

    /// The schema of a lead's body.
    pub(crate) const fn lead(&self) -> &Arc<Schema> {
        &self.lead
    }
}

impl Schema {
    fn compile(path: &Path, schema: &Value) -> Result<Self, SchemaError> {
        let personal = personal::find(schema).map_err(|misplaced| {
            SchemaError::Personal(path.to_owned(), misplaced.at, misplaced.why)
        })?;
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .should_validate_formats(true)
            .offline()
            .build(schema)
            .map_err(|error| SchemaError::Schema(path.to_owned(), error.to_string()))?;
        let mut members = BTreeSet::new();
        declare(schema, &mut members);
        Ok(Self {
            validator,
            personal,
            members,
        })
    }

    /// The first violation, described by the schema alone.
    pub(crate) fn check(&self, data: &Value) -> Result<(), Violation> {
        self.validator
            .validate(data)
            .map_err(|error| Violation::of(&error))
    }

    /// Where personal data stands.
    pub(crate) fn personal(&self) -> &[PersonalPath] {
        &self.personal
    }
}

/// Collects every name under `properties`.
fn declare(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(keywords) => {
            if let Some(Value::Object(members)) = keywords.get("properties") {
                names.extend(members.keys().cloned());
            }
            keywords.values().for_each(|value| declare(value, names));
        }
        Value::Array(items) => items.iter().for_each(|item| declare(item, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests;

//! JSON Schemas of what is accepted, with the places where they say personal data stands.

mod builtin;
mod dialect;
mod folder;
mod names;
mod personal;
mod violation;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use jsonschema::{Draft, Validator};
use serde_json::Value;

use self::{folder::Document, personal::Declarations, violation::Explained};
use crate::{files::Unreadable, json::JsonError};

pub(crate) use self::{
    names::hint,
    personal::{DataPath, PersonalPath},
    violation::{Violation, ViolationKind},
};

/// The version an event has that names none: the first, so that a client's events keep their
/// meaning when a schema gets a successor.
pub(crate) const DEFAULT_VERSION: u32 = 1;

/// What a lead's schema is called where event types are named.
pub(crate) const LEAD: &str = "lead";

/// The most bytes of the JSON pointer of a value that is sealed: with `event.` and the longest type before
/// it, it is still the name of a field.
pub(crate) const MAX_POINTER: usize = 763;

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
    document: Value,
    declarations: Declarations,
    members: BTreeSet<String>,
    /// The members of all schemas.
    known: Arc<BTreeSet<String>>,
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
    #[error("{0}: {1}")]
    Repeated(PathBuf, JsonError),
    #[error("{0}: `x-pii` cannot be honoured: {1}: {2}")]
    Personal(PathBuf, String, String),
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
        let lead = builtin::lead();
        let mut known = BTreeSet::new();
        let schemas = documents.iter().flatten().map(|document| &document.schema);
        for schema in schemas.chain([&lead.schema]) {
            declare(schema, &mut known);
        }
        let known = Arc::new(known);
        let mut events: BTreeMap<String, BTreeMap<u32, Arc<Schema>>> = BTreeMap::new();
        let mut errors = Vec::new();
        for document in documents {
            let compiled = document.and_then(|document| {
                let (event_type, version) = (document.event_type.clone(), document.version);
                Ok((event_type, version, Schema::compile(document, &known)?))
            });
            match compiled {
                Ok((event_type, version, schema)) => {
                    let versions = events.entry(event_type).or_default();
                    versions.insert(version, Arc::new(schema));
                }
                Err(error) => errors.push(error),
            }
        }
        match Schema::compile(lead, &known) {
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

    /// A sentence about a type that has no schema.
    pub(crate) fn about_types(&self, event_type: &str) -> String {
        let known = self.events.keys().map(String::as_str);
        format!(
            "no schema exists for this event type ({}; known: {})",
            hint(event_type, known.clone()),
            names::listed(known)
        )
    }

    /// A sentence about a version that a type does not have.
    pub(crate) fn about_versions(&self, event_type: &str) -> String {
        let versions = self.events.get(event_type).into_iter();
        let versions: Vec<String> = versions
            .flat_map(BTreeMap::keys)
            .map(u32::to_string)
            .collect();
        format!(
            "this event type has no such version; known: {}",
            names::listed(versions.iter().map(String::as_str))
        )
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
    fn compile(document: Document, known: &Arc<BTreeSet<String>>) -> Result<Self, SchemaError> {
        let Document { path, schema, .. } = document;
        let (validator, declarations) = read(&schema).map_err(|error| error.at(path))?;
        let mut members = BTreeSet::new();
        declare(&schema, &mut members);
        Ok(Self {
            validator,
            document: schema,
            declarations,
            members,
            known: Arc::clone(known),
        })
    }

    /// The first violations, described by the schema alone.
    pub(crate) fn check(&self, data: &Value) -> Result<(), Violation> {
        if self.validator.is_valid(data) {
            return Ok(());
        }
        let explained = Explained {
            document: &self.document,
            members: &self.members,
            known: &self.known,
            data,
        };
        explained.all(self.validator.iter_errors(data))
    }

    /// Where personal data stands.
    pub(crate) fn personal(&self) -> &[PersonalPath] {
        &self.declarations.personal
    }

    /// Where values are known to be harmless, whatever they look like.
    pub(crate) fn harmless(&self) -> &[DataPath] {
        &self.declarations.harmless
    }

    /// Whether the schema declares a member of this name, which may then be told of.
    pub(crate) fn declares_member(&self, name: &str) -> bool {
        self.members.contains(name)
    }
}

/// What is wrong with a document.
enum Unusable {
    Schema(String),
    Personal(String, String),
}

impl Unusable {
    fn at(self, path: PathBuf) -> SchemaError {
        match self {
            Self::Schema(why) => SchemaError::Schema(path, why),
            Self::Personal(at, why) => SchemaError::Personal(path, at, why),
        }
    }
}

impl From<String> for Unusable {
    fn from(why: String) -> Self {
        Self::Schema(why)
    }
}

/// The validator of a document, and where it declares personal data.
fn read(schema: &Value) -> Result<(Validator, Declarations), Unusable> {
    let draft = dialect::draft(schema)?;
    let validator = |schema| {
        jsonschema::options()
            .with_draft(draft)
            .should_validate_formats(true)
            .offline()
            .build(schema)
            .map_err(|error| error.to_string())
    };
    let registry = dialect::registry(schema, draft)?;
    let root = dialect::root(&registry, schema, draft)?;
    dialect::check_names(schema, draft, &root)?;
    let validator = validator(schema)?;
    if !personal::mentions(schema) {
        return Ok((validator, Declarations::default()));
    }
    if draft != Draft::Draft202012 {
        let why = "personal data is declared in JSON Schema 2020-12; older drafts ignore what \
                   stands beside a `$ref`";
        return Err(Unusable::Personal("#/$schema".to_owned(), why.to_owned()));
    }
    let found = personal::find(&root);
    let found = found.map_err(|misplaced| Unusable::Personal(misplaced.at, misplaced.why))?;
    Ok((validator, found))
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

//! What a schema found wrong, told without a value, and without a name that no schema knows.

use std::collections::BTreeSet;

use jsonschema::{
    ValidationError,
    error::{TypeKind, ValidationErrorKind},
    paths::Location,
};
use serde_json::Value;

use super::names::{hint, listed};

/// In which way an instance breaks its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ViolationKind {
    RequiredMissing,
    TypeMismatch,
    AdditionalProperty,
    Constraint,
}

/// What a schema found wrong: the kind of the first fault, and a sentence about the first few.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) kind: ViolationKind,
    /// Names the places in the data and in the schema, and what is asked for.
    pub(crate) detail: String,
}

/// The most faults that are told of one instance, and of what length together: every event of a batch
/// may have some.
const MAX_FAULTS: usize = 5;
const MAX_DETAIL: usize = 600;

/// The most unknown members that are told of one object.
const MAX_UNKNOWN: usize = 3;

/// What a violation is explained by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Explained<'s> {
    pub(super) document: &'s Value,
    /// The names of members that the document declares.
    pub(super) members: &'s BTreeSet<String>,
    /// Those that any schema does.
    pub(super) known: &'s BTreeSet<String>,
    pub(super) data: &'s Value,
}

impl Explained<'_> {
    /// What is to be told of a validator's errors.
    pub(super) fn all<'e>(
        &self,
        mut errors: impl Iterator<Item = ValidationError<'e>>,
    ) -> Result<(), Violation> {
        let Some(first) = errors.next() else {
            return Ok(());
        };
        let mut violation = self.one(&first);
        for (told, error) in (1..).zip(errors) {
            let next = self.one(&error).detail;
            if told == MAX_FAULTS || violation.detail.len() + next.len() > MAX_DETAIL {
                violation.detail.push_str("; and more");
                break;
            }
            violation.detail.push_str("; ");
            violation.detail.push_str(&next);
        }
        Err(violation)
    }

    fn one(&self, error: &ValidationError<'_>) -> Violation {
        let (kind, wanted) = self.wanted(error);
        let place = self.place(error.instance_path());
        let place = if place.is_empty() {
            String::new()
        } else {
            format!("`{place}`: ")
        };
        let schema = error.schema_path();
        Violation {
            kind,
            detail: format!("{place}{wanted} (schema {schema})"),
        }
    }

    fn wanted(&self, error: &ValidationError<'_>) -> (ViolationKind, String) {
        use ValidationErrorKind as Kind;
        use ViolationKind::{AdditionalProperty, Constraint, RequiredMissing, TypeMismatch};
        match error.kind() {
            Kind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                (RequiredMissing, format!("`{name}` is required"))
            }
            Kind::Type {
                kind: TypeKind::Single(kind),
            } => (TypeMismatch, format!("must be of type {kind}")),
            Kind::Type {
                kind: TypeKind::Multiple(kinds),
            } => {
                let kinds: Vec<_> = kinds.iter().map(|kind| kind.as_str()).collect();
                (
                    TypeMismatch,
                    format!("must be of type {}", kinds.join(" or ")),
                )
            }
            Kind::AdditionalProperties { unexpected }
            | Kind::UnevaluatedProperties { unexpected } => (
                AdditionalProperty,
                self.unknown(error.schema_path(), unexpected),
            ),
            Kind::AnyOf { context } | Kind::OneOfNotValid { context }
                if context.iter().all(|branch| lacks(branch)) =>
            {
                let branches = context.iter().flatten();
                let names = branches.filter_map(|error| required(error));
                (
                    RequiredMissing,
                    format!("one of {} is required", listed(names)),
                )
            }
            kind => (Constraint, self.constraint(error.schema_path(), kind)),
        }
    }

    fn constraint(&self, at: &Location, kind: &ValidationErrorKind) -> String {
        use ValidationErrorKind as Kind;
        match kind {
            Kind::MinProperties { limit } => {
                let named = listed(self.named_beside(at));
                if named.is_empty() {
                    format!("must have at least {limit} members")
                } else {
                    format!("must have at least {limit} of {named}")
                }
            }
            Kind::MaxProperties { limit } => format!("must have at most {limit} members"),
            Kind::MinLength { limit } => format!("must have at least {limit} characters"),
            Kind::MaxLength { limit } => format!("must have at most {limit} characters"),
            Kind::MinItems { limit } => format!("must have at least {limit} items"),
            Kind::MaxItems { limit } => format!("must have at most {limit} items"),
            Kind::Minimum { limit } => format!("must be at least {limit}"),
            Kind::Maximum { limit } => format!("must be at most {limit}"),
            Kind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
            Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
            Kind::Enum { options } => {
                let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
                let names = options.iter().filter_map(Value::as_str);
                if options.iter().all(Value::is_string) {
                    format!("must be one of {}", listed(names))
                } else {
                    "must be one of the values that the schema lists".to_owned()
                }
            }
            Kind::Format { format } => format!("must have the format `{format}`"),
            Kind::UniqueItems => "has the same item twice".to_owned(),
            Kind::FalseSchema => "is not allowed".to_owned(),
            kind => format!("does not satisfy `{}`", kind.keyword()),
        }
    }

    /// A sentence about members that the schema at this place does not name.
    fn unknown(&self, at: &Location, unexpected: &[String]) -> String {
        let named: Vec<&str> = self.named_beside(at).collect();
        let hints = unexpected.iter().take(MAX_UNKNOWN).map(|name| {
            if self.known.contains(name) {
                format!("`{name}`")
            } else {
                hint(name, named.iter().copied())
            }
        });
        let mut hints: Vec<String> = hints.collect();
        if unexpected.len() > MAX_UNKNOWN {
            hints.push(format!("{} more", unexpected.len() - MAX_UNKNOWN));
        }
        let known = if named.is_empty() {
            String::new()
        } else {
            format!("; known: {}", listed(named.into_iter()))
        };
        format!(
            "has a property that the schema does not name ({}{known})",
            hints.join(", ")
        )
    }

    /// The names of the properties that stand beside a keyword of the schema.
    fn named_beside(&self, keyword: &Location) -> impl Iterator<Item = &str> {
        let pointer = keyword.as_str();
        let schema = pointer.rsplit_once('/').map_or("", |(schema, _)| schema);
        let schema = self.document.pointer(schema);
        let properties = schema.and_then(|schema| schema.get("properties")?.as_object());
        properties
            .into_iter()
            .flat_map(|named| named.keys().map(String::as_str))
    }

    /// A JSON pointer into the data, in which a name that the schema does not know is a `*`.
    fn place(&self, location: &Location) -> String {
        let mut place = String::new();
        let mut value = Some(self.data);
        for segment in location.as_str().split('/').skip(1) {
            let name = segment.replace("~1", "/").replace("~0", "~");
            place.push('/');
            value = match value {
                Some(Value::Array(items)) => {
                    place.push_str(segment);
                    name.parse().ok().and_then(|index: usize| items.get(index))
                }
                Some(Value::Object(members)) => {
                    let is_known = self.members.contains(&name);
                    place.push_str(if is_known { segment } else { "*" });
                    members.get(&name)
                }
                _ => None,
            };
        }
        place
    }
}

/// The member that an error asks for.
fn required<'e>(error: &'e ValidationError<'_>) -> Option<&'e str> {
    match error.kind() {
        ValidationErrorKind::Required { property } => property.as_str(),
        _ => None,
    }
}

/// Whether an alternative failed only for want of a property.
fn lacks(branch: &[ValidationError<'static>]) -> bool {
    !branch.is_empty() && branch.iter().all(|error| required(error).is_some())
}

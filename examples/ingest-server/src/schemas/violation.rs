//! What a schema found wrong, told without a value or a name from the instance.

use jsonschema::{
    ValidationError,
    error::{TypeKind, ValidationErrorKind},
};

/// In which way an instance breaks its schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ViolationKind {
    RequiredMissing,
    TypeMismatch,
    AdditionalProperty,
    Constraint,
}

/// The first thing a schema found wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) kind: ViolationKind,
    /// Names the place in the schema, and what it asks for.
    pub(crate) detail: String,
}

impl Violation {
    pub(super) fn of(error: &ValidationError<'_>) -> Self {
        let place = error.schema_path();
        let (kind, wanted) = match error.kind() {
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                (
                    ViolationKind::RequiredMissing,
                    format!("`{name}` is required"),
                )
            }
            ValidationErrorKind::Type {
                kind: TypeKind::Single(kind),
            } => (
                ViolationKind::TypeMismatch,
                format!("must be of type {kind}"),
            ),
            ValidationErrorKind::Type { .. } => (
                ViolationKind::TypeMismatch,
                "has another type than the schema names".to_owned(),
            ),
            ValidationErrorKind::AdditionalProperties { .. }
            | ValidationErrorKind::UnevaluatedProperties { .. } => (
                ViolationKind::AdditionalProperty,
                "has a property that the schema does not name".to_owned(),
            ),
            ValidationErrorKind::AnyOf { context }
                if context.iter().all(|branch| lacks(branch)) =>
            {
                (
                    ViolationKind::RequiredMissing,
                    "one of several properties is required".to_owned(),
                )
            }
            kind => (
                ViolationKind::Constraint,
                format!("does not satisfy `{}`", kind.keyword()),
            ),
        };
        Self {
            kind,
            detail: format!("{wanted} (schema {place})"),
        }
    }
}

/// Whether an alternative failed only for want of a property.
fn lacks(branch: &[ValidationError<'static>]) -> bool {
    !branch.is_empty()
        && branch
            .iter()
            .all(|error| matches!(error.kind(), ValidationErrorKind::Required { .. }))
}

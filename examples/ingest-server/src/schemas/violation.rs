//! What a schema found wrong, told without a value or a name from the instance.

use jsonschema::{
    ValidationError,
    error::{TypeKind, ValidationErrorKind},
};

use crate::quality::Reason;

/// The first thing a schema found wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) reason: Reason,
    /// Names the place in the schema, and what it asks for.
    pub(crate) detail: String,
}

impl Violation {
    pub(super) fn of(error: &ValidationError<'_>) -> Self {
        let place = error.schema_path();
        let (reason, wanted) = match error.kind() {
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                (
                    Reason::SchemaRequiredMissing,
                    format!("`{name}` is required"),
                )
            }
            ValidationErrorKind::Type {
                kind: TypeKind::Single(kind),
            } => (
                Reason::SchemaTypeMismatch,
                format!("must be of type {kind}"),
            ),
            ValidationErrorKind::Type { .. } => (
                Reason::SchemaTypeMismatch,
                "has another type than the schema names".to_owned(),
            ),
            ValidationErrorKind::AdditionalProperties { .. }
            | ValidationErrorKind::UnevaluatedProperties { .. } => (
                Reason::SchemaAdditionalProperty,
                "has a property that the schema does not name".to_owned(),
            ),
            ValidationErrorKind::AnyOf { context }
                if context.iter().all(|branch| lacks(branch)) =>
            {
                (
                    Reason::SchemaRequiredMissing,
                    "one of several properties is required".to_owned(),
                )
            }
            kind => (
                Reason::SchemaConstraint,
                format!("does not satisfy `{}`", kind.keyword()),
            ),
        };
        Self {
            reason,
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

//! What an outcome is about.

/// Whom and what an outcome concerns, as far as it is known at that point of the request.
///
/// Before authentication nothing is known: use [`Subject::UNKNOWN`]. Names are taken as labels only
/// if they look like identifiers; see [`crate::Quality`] for the bounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Subject<'a> {
    pub(crate) tenant: Option<&'a str>,
    pub(crate) event_type: Option<&'a str>,
    pub(crate) schema_version: Option<&'a str>,
}

impl<'a> Subject<'a> {
    /// Nothing is known yet.
    pub const UNKNOWN: Self = Self {
        tenant: None,
        event_type: None,
        schema_version: None,
    };

    /// The tenant is known, nothing else.
    pub const fn tenant(tenant: &'a str) -> Self {
        Self {
            tenant: Some(tenant),
            ..Self::UNKNOWN
        }
    }

    /// The event type is known as well.
    pub const fn event_type(self, event_type: &'a str) -> Self {
        Self {
            event_type: Some(event_type),
            ..self
        }
    }

    /// The schema version is known as well.
    pub const fn schema_version(self, version: &'a str) -> Self {
        Self {
            schema_version: Some(version),
            ..self
        }
    }
}

//! What a request brings.

use crate::permission::Permission;

/// What a request brings, by the endpoint it comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intake {
    /// One or many events.
    Events,
    /// One lead.
    Lead,
}

impl Intake {
    /// What the sender must be permitted.
    pub(super) const fn permission(self) -> Permission {
        match self {
            Self::Events => Permission::EventsWrite,
            Self::Lead => Permission::LeadsWrite,
        }
    }

    /// The media types that are read, as a header field lists them.
    pub(crate) const fn media_types(self) -> &'static str {
        match self {
            Self::Events => {
                "application/cloudevents+json, application/cloudevents-batch+json, application/json"
            }
            Self::Lead => "application/json",
        }
    }
}

//! What a request brings.

use crate::{
    audit::{AuditAction, actions},
    lead::LeadId,
    permission::Permission,
};

/// What a request brings, by the endpoint it comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intake {
    /// One or many events.
    Events,
    /// One lead, or what changes of one.
    Lead(LeadRequest),
}

/// What is to become of a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeadRequest {
    /// It is there afterwards.
    Upsert(OnConflict),
    /// It has other values afterwards: a JSON merge patch (RFC 7396).
    Patch(LeadId),
}

/// What becomes of a lead whose unique value, other than the identity, another lead has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum OnConflict {
    /// It is refused.
    #[default]
    Refuse,
    /// The other lead takes its values.
    Update,
}

impl Intake {
    /// What is on record of what it brings.
    pub(crate) const fn on_record(self) -> &'static AuditAction {
        match self {
            Self::Events => actions::EVENT_WRITE,
            Self::Lead(_) => actions::LEAD_WRITE,
        }
    }

    /// What the sender must be permitted.
    pub(super) const fn permission(self) -> Permission {
        match self {
            Self::Events => Permission::EventsWrite,
            Self::Lead(_) => Permission::LeadsWrite,
        }
    }

    /// The media types that are read, as a header field lists them.
    pub(crate) const fn media_types(self) -> &'static str {
        match self {
            Self::Events => {
                "application/cloudevents+json, application/cloudevents-batch+json, application/json"
            }
            Self::Lead(LeadRequest::Upsert(_)) => "application/json",
            Self::Lead(LeadRequest::Patch(_)) => "application/merge-patch+json, application/json",
        }
    }
}

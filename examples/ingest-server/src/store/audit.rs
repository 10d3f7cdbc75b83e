//! What is on record of who did what: one event each. No value of a lead, nothing that was looked
//! for, and no free text but the reason can be put in.

use std::{
    net::IpAddr,
    num::{NonZeroU16, NonZeroU64},
};

use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

/// Stands for the tenant where something concerns none; no tenant can have the name.
pub(crate) const SYSTEM: &str = "system";

/// An event as its origin knows it; when it happened and which it is, the log adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuditDraft {
    pub(crate) tenant: String,
    /// Dotted, such as `lead.read`.
    pub(crate) action: &'static str,
    pub(crate) activity: Activity,
    pub(crate) actor: AuditActor,
    /// What the resources are; each event has those of one type.
    pub(crate) resource_type: &'static str,
    pub(crate) resources: Vec<String>,
    /// How many there were; of refusals, how many stand together in one event.
    pub(crate) count: u64,
    /// The fields that were shown, such as `lead.email`.
    pub(crate) fields: Vec<&'static str>,
    /// What the actor said it is for; personal data that patterns find is replaced.
    pub(crate) reason: Option<String>,
    pub(crate) outcome: AuditOutcome,
    /// The reason of an outcome that is no success.
    pub(crate) detail: Option<&'static str>,
    /// The event that says what was begun.
    pub(crate) refs: Option<Uuid>,
    pub(crate) peer: Option<IpAddr>,
    /// 32 hexadecimal digits.
    pub(crate) trace: Option<String>,
}

/// An event of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuditEvent {
    /// UUIDv7.
    pub(crate) id: Uuid,
    pub(crate) time: OffsetDateTime,
    pub(crate) draft: AuditDraft,
}

/// What kind of thing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activity {
    Create,
    Read,
    Update,
    Delete,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AuditActor {
    /// The holder of the key of that id.
    ApiKey(String),
    /// A machine, or the user who runs a command.
    System(String),
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuditOutcome {
    Success,
    Denied,
    Failure,
    /// It was begun; an event that refers to this one says more.
    Unknown,
}

/// Which events are asked for, newest first.
#[derive(Debug, Clone)]
pub(crate) struct AuditQuery {
    pub(crate) tenant: Option<String>,
    /// An actor's id.
    pub(crate) actor: Option<String>,
    pub(crate) action: Option<String>,
    pub(crate) outcome: Option<AuditOutcome>,
    /// Only those before this one.
    pub(crate) before: Option<NonZeroU64>,
    pub(crate) limit: NonZeroU16,
}

/// A stored event, as it is shown. What it has not is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct AuditEntry {
    pub(crate) n: u64,
    pub(crate) id: String,
    pub(crate) time: String,
    pub(crate) tenant: String,
    pub(crate) action: String,
    pub(crate) activity: String,
    pub(crate) actor: Named,
    pub(crate) resources: Vec<Named>,
    pub(crate) count: u64,
    pub(crate) fields: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    pub(crate) outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refs: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) peer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trace: Option<String>,
}

/// An id and what it is the id of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Named {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) id: String,
}

impl Activity {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

impl AuditActor {
    /// What kind of actor it is.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::ApiKey(_) => "api_key",
            Self::System(_) => "system",
        }
    }

    pub(crate) fn id(&self) -> &str {
        match self {
            Self::ApiKey(id) | Self::System(id) => id,
        }
    }
}

impl AuditOutcome {
    /// Every outcome.
    pub(crate) const ALL: [Self; 4] = [Self::Success, Self::Denied, Self::Failure, Self::Unknown];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Denied => "denied",
            Self::Failure => "failure",
            Self::Unknown => "unknown",
        }
    }
}

//! What an API key may grant.

/// What a request needs a scope for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    EventsWrite,
    LeadsWrite,
    LeadsRead,
    PiiRead,
    /// What is on record of the tenant.
    AuditRead,
}

impl Permission {
    pub(crate) const ALL: [Self; 5] = [
        Self::EventsWrite,
        Self::LeadsWrite,
        Self::LeadsRead,
        Self::PiiRead,
        Self::AuditRead,
    ];

    /// The scope that grants it.
    pub(crate) const fn scope(self) -> &'static str {
        match self {
            Self::EventsWrite => "events:write",
            Self::LeadsWrite => "leads:write",
            Self::LeadsRead => "leads:read",
            Self::PiiRead => "pii:read",
            Self::AuditRead => "audit:read",
        }
    }
}

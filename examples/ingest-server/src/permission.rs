//! What an API key may grant.

/// What a request needs a scope for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    EventsWrite,
    LeadsWrite,
    LeadsRead,
    PiiRead,
}

impl Permission {
    pub(crate) const ALL: [Self; 4] = [
        Self::EventsWrite,
        Self::LeadsWrite,
        Self::LeadsRead,
        Self::PiiRead,
    ];

    /// The scope that grants it.
    pub(crate) const fn scope(self) -> &'static str {
        match self {
            Self::EventsWrite => "events:write",
            Self::LeadsWrite => "leads:write",
            Self::LeadsRead => "leads:read",
            Self::PiiRead => "pii:read",
        }
    }
}

//! What may be shown about a key.

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{
    kid::Kid,
    pepper::{PepperVersion, Peppers},
    scope::Scopes,
    store::{KeyRecord, RecordState, RecordVersion, UnixMillis, Validity},
    tenant::TenantId,
    tier::Tier,
};

/// A key as lists show it: everything but how it is verified.
#[derive(Clone, Debug)]
pub struct KeyInfo {
    record: KeyRecord,
    status: KeyStatus,
}

impl KeyInfo {
    pub(crate) fn new(record: KeyRecord, peppers: &Peppers, date: UnixMillis) -> Self {
        let status = match &record.state {
            RecordState::Revoked => KeyStatus::Revoked,
            RecordState::Active(verifier) if verifier.authenticate(&record, peppers).is_err() => {
                KeyStatus::Unverifiable
            }
            RecordState::Active(_) => match record.validity(date) {
                Validity::Future => KeyStatus::NotYetValid,
                Validity::Current => KeyStatus::Active,
                Validity::Past => KeyStatus::Expired,
            },
        };
        Self { record, status }
    }

    /// The id of the key.
    #[must_use]
    pub fn kid(&self) -> &Kid {
        &self.record.kid
    }

    /// Whom it belongs to.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.record.tenant
    }

    /// Which limits apply.
    #[must_use]
    pub fn tier(&self) -> &Tier {
        &self.record.tier
    }

    /// What it may do.
    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        &self.record.scopes
    }

    /// Whether it was good when this was read.
    #[must_use]
    pub fn status(&self) -> KeyStatus {
        self.status
    }

    /// How often it was changed.
    #[must_use]
    pub fn version(&self) -> RecordVersion {
        self.record.version
    }

    /// The version of the pepper that the key is hashed under, until it is next used; `None` if it was revoked.
    #[must_use]
    pub fn pepper(&self) -> Option<PepperVersion> {
        match &self.record.state {
            RecordState::Active(verifier) => Some(verifier.pepper),
            RecordState::Revoked => None,
        }
    }

    /// Refused before this date.
    #[must_use]
    pub fn not_before(&self) -> Option<SystemTime> {
        self.record.not_before.and_then(UnixMillis::to_system_time)
    }

    /// Refused from this date on.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.record.expires_at.and_then(UnixMillis::to_system_time)
    }

    /// When it was issued; 1970 if the platform cannot express the date of the record.
    #[must_use]
    pub fn created_at(&self) -> SystemTime {
        let date = self.record.created_at.to_system_time();
        date.unwrap_or(UNIX_EPOCH)
    }

    /// When it was last used, late by up to two minutes.
    #[must_use]
    pub fn last_used(&self) -> Option<SystemTime> {
        self.record.last_used.and_then(UnixMillis::to_system_time)
    }
}

/// Whether a key is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyStatus {
    /// It is accepted.
    Active,
    /// Its first day has not come.
    NotYetValid,
    /// Its last day has passed.
    Expired,
    /// It was revoked, which cannot be undone.
    Revoked,
    /// Its row was altered, or written under a pepper that this process has not: it is refused.
    Unverifiable,
}

impl KeyStatus {
    /// The name that lists and interfaces use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Unverifiable => "unverifiable",
        }
    }
}

impl fmt::Display for KeyStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

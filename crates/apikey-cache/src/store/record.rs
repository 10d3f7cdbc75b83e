//! What is stored about a key.

use super::UnixMillis;
use crate::{
    counter::counter, kid::Kid, scope::Scopes, tenant::TenantId, tier::Tier, verifier::Verifier,
};

/// One row of the table of keys. It never holds the secret.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a store writes and builds every column"
)]
pub struct KeyRecord {
    /// The id of the key.
    pub kid: Kid,
    /// Whom it belongs to.
    pub tenant: TenantId,
    /// Which limits apply.
    pub tier: Tier,
    /// What it may do.
    pub scopes: Scopes,
    /// Raised by every change of what the key is allowed.
    pub version: RecordVersion,
    /// Refused before this date.
    pub not_before: Option<UnixMillis>,
    /// Refused from this date on.
    pub expires_at: Option<UnixMillis>,
    /// When it was issued.
    pub created_at: UnixMillis,
    /// When it was last used, late by up to two minutes.
    pub last_used: Option<UnixMillis>,
    /// Whether it is still good, and how it is checked.
    pub state: RecordState,
}

impl KeyRecord {
    /// Whether it matters which date it is.
    pub(crate) fn has_dates(&self) -> bool {
        self.not_before.is_some() || self.expires_at.is_some()
    }

    /// Where the date stands to the dates of the record.
    pub(crate) fn validity(&self, date: UnixMillis) -> Validity {
        if self.expires_at.is_some_and(|end| end <= date) {
            Validity::Past
        } else if self.not_before.is_some_and(|start| date < start) {
            Validity::Future
        } else {
            Validity::Current
        }
    }
}

/// Where a date stands to the dates of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Validity {
    Future,
    Current,
    Past,
}

/// Whether a record can still be verified.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a store writes and builds every state"
)]
pub enum RecordState {
    /// The key is good, if it passes this.
    Active(Verifier),
    /// The key was revoked, permanently: nothing to verify it with is kept.
    Revoked,
}

counter! {
    /// Counts the changes of a record, from 1.
    RecordVersion
}

impl RecordVersion {
    /// The version of a new record.
    pub const FIRST: Self = Self(1);
    /// Lower than that of any record: what a missing record is taken for.
    pub(crate) const ABSENT: Self = Self(0);
}

//! What a sweep tells of the rows it went over.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use portcullis_keyring::{
    KeyId, PrepareError, TenantId,
    sweep::{Cursor, Progress},
};

use super::{FieldValue, RowError, SealedRow};
use crate::{OpenError, ParseError, SealError};

/// What became of the rows of a scope.
#[derive(Debug)]
#[non_exhaustive]
pub struct Report {
    /// How many rows were looked at, written, left to others, and could not be.
    pub progress: Progress,
    /// Rows that need a person, the first [`MAX_LISTED`](Self::MAX_LISTED) of them; of those that fail for their
    /// key, the first [`EXAMPLES`](UnusableKey::EXAMPLES) for each key.
    pub failures: Vec<RowFailure>,
    /// Keys that rows fail for, with how many do.
    pub unusable: BTreeMap<KeyId, UnusableKey>,
    /// Rows that have an index value that another row has: two records turn out to be the same. The
    /// first [`MAX_LISTED`](Self::MAX_LISTED) of them.
    pub duplicates: Vec<RowFailure>,
    /// Rows that are in the scope at the end: of [`Scope::All`](super::Scope::All), which no row leaves,
    /// those that were not brought in order, found by going over every row.
    pub left: u64,
}

/// A row that was not brought in order. It tells where, and never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowFailure {
    /// The table.
    pub table: String,
    /// Whose row it is.
    pub tenant: TenantId,
    /// Which row.
    pub row: Cursor,
    /// Which field; `None` if it is the row as a whole.
    pub field: Option<String>,
    /// The key that the field is sealed under.
    pub key: Option<KeyId>,
    /// Why.
    pub reason: FailureReason,
}

/// A key that opens nothing, whatever the row: what is wrong with it is told once, and not for each of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnusableKey {
    /// Why.
    pub reason: FailureReason,
    /// How many rows fail for it.
    pub rows: u64,
}

/// Why a row was not brought in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FailureReason {
    /// There are bytes in the place of a sealed value that are none.
    #[error("the bytes are no sealed value")]
    Malformed,
    /// It was altered, or belongs to another record, field or tenant.
    #[error("the sealed value does not open in this record and field")]
    Rejected,
    /// The tenant has no such key.
    #[error("the tenant has no key of this id")]
    UnknownKey,
    /// The key is disabled or waits for its destruction.
    #[error("the data key is disabled: take it back into use, and run again")]
    KeyDisabled,
    /// The key was destroyed, and the value with it.
    #[error("the data key was destroyed: the value is gone")]
    KeyDestroyed,
    /// The key-encryption key does not unwrap the key, or what is stored of the key is damaged.
    #[error(
        "the data key does not unwrap: see whether every version of the key-encryption key is configured"
    )]
    KeyNotUnwrapped,
    /// Preparing keys and using them took more than 10 s, each time.
    #[error("the keys were too old before they were used: run again when the machine is less busy")]
    StaleKeys,
    /// The tenant was erased, and gets no keys to seal with.
    #[error("the tenant was erased: it gets no new keys")]
    TenantErased,
    /// The kind of the value is not that of its field, or not one of those that the sweep was given.
    #[error("the kind of the value is unknown here: give the sweep every kind that is stored")]
    UnknownKind,
    /// The plaintext is no value of its kind.
    #[error("the plaintext is no value of its kind: {0}")]
    Invalid(ParseError),
    /// It cannot be sealed.
    #[error("the value cannot be sealed: {0}")]
    NotSealed(SealError),
    /// The field gives no index value of the version that the sweep writes.
    #[error("no index of this version: make the version live where the sweep runs")]
    VersionNotLive,
    /// The database refuses the row.
    #[error("the database refuses the row")]
    Refused,
    /// Another row has an index value that only one may have.
    #[error("another record has the same value: merge the two")]
    Duplicate,
}

/// Why a sweep stopped before its end. What is done stays done, and the next run goes on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The table cannot be read or written, after a few attempts.
    #[error(transparent)]
    Rows(#[from] RowError),
    /// The store of keys or the key-encryption key is down, after a few attempts.
    #[error(transparent)]
    Keys(#[from] PrepareError),
    /// The implementation of [`SealedRows`](super::SealedRows) answered for another number of rows than
    /// it was given.
    #[error("the table {0} does not keep the contract of its rows: run the conformance suite")]
    Contract(String),
}

impl Report {
    /// The most rows that are listed; all are counted.
    pub const MAX_LISTED: usize = 1_000;

    /// Whether nothing is left to do, and nothing went wrong.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.left == 0 && self.failures.is_empty() && self.duplicates.is_empty()
    }

    pub(super) const fn new(progress: Progress) -> Self {
        Self {
            progress,
            failures: Vec::new(),
            unusable: BTreeMap::new(),
            duplicates: Vec::new(),
            left: 0,
        }
    }
}

impl RowFailure {
    pub(super) fn new(
        table: &str,
        row: &SealedRow,
        field: Option<usize>,
        reason: FailureReason,
    ) -> Self {
        let field = field.and_then(|at| row.fields.get(at));
        let key = field.and_then(|field| match &field.value {
            FieldValue::Sealed(sealed) => Some(sealed.key_id()),
            _ => None,
        });
        Self {
            table: table.to_owned(),
            tenant: row.tenant.clone(),
            row: row.at.clone(),
            field: field.map(|field| field.field.clone()),
            key,
            reason,
        }
    }
}

impl UnusableKey {
    /// The most rows of a key that are listed; all are counted.
    pub const EXAMPLES: u64 = 3;

    /// One more of its rows; a key that cannot be used for one reason after another keeps the latest.
    const fn note(&mut self, reason: FailureReason, rows: u64) {
        self.reason = reason;
        self.rows += rows;
    }
}

impl FailureReason {
    /// Whether it is the key that fails, for every row that needs it.
    #[must_use]
    pub const fn is_of_the_key(&self) -> bool {
        matches!(
            self,
            Self::UnknownKey | Self::KeyDisabled | Self::KeyDestroyed | Self::KeyNotUnwrapped
        )
    }
}

/// Table, tenant, row, field and reason.
impl fmt::Display for RowFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}, row {}", self.table, self.tenant, self.row)?;
        if let Some(field) = &self.field {
            write!(f, ", {field}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// Adds to a list that has its bound.
pub(super) fn list(listed: &mut Vec<RowFailure>, failures: impl IntoIterator<Item = RowFailure>) {
    let room = Report::MAX_LISTED.saturating_sub(listed.len());
    listed.extend(failures.into_iter().take(room));
}

/// Notes what is wrong with one row: a key that is at fault once, and what else there is in a list.
pub(super) fn note(
    failures: &mut Vec<RowFailure>,
    unusable: &mut BTreeMap<KeyId, UnusableKey>,
    of_row: impl IntoIterator<Item = RowFailure>,
) {
    let mut counted = BTreeSet::new();
    let mut listed = Vec::new();
    for failure in of_row {
        let Some(key) = failure.key.filter(|_| failure.reason.is_of_the_key()) else {
            listed.push(failure);
            continue;
        };
        if !counted.insert(key) {
            continue;
        }
        let reason = failure.reason;
        let of_key = unusable.entry(key);
        let of_key = of_key.or_insert(UnusableKey { reason, rows: 0 });
        of_key.note(reason, 1);
        if of_key.rows <= UnusableKey::EXAMPLES {
            listed.push(failure);
        }
    }
    list(failures, listed);
}

/// Puts what was counted of keys to what was counted before.
pub(crate) fn add_unusable(
    unusable: &mut BTreeMap<KeyId, UnusableKey>,
    others: BTreeMap<KeyId, UnusableKey>,
) {
    for (key, UnusableKey { reason, rows }) in others {
        let of_key = unusable.entry(key);
        of_key
            .or_insert(UnusableKey { reason, rows: 0 })
            .note(reason, rows);
    }
}

/// Of a key that was prepared.
impl From<OpenError> for FailureReason {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Rejected => Self::Rejected,
            OpenError::NeedsKey(_) => Self::UnknownKey,
            OpenError::KeyUnavailable => Self::KeyDisabled,
            OpenError::KeyDestroyed => Self::KeyDestroyed,
            OpenError::KeyNotOpened => Self::KeyNotUnwrapped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_its_first_1_000_failures() {
        let failure = |row: usize| RowFailure {
            table: "leads".to_owned(),
            tenant: TenantId::new("tenant-7").expect("a name"),
            row: Cursor::new(row.to_string()),
            field: None,
            key: None,
            reason: FailureReason::Rejected,
        };
        let mut listed = Vec::new();
        list(&mut listed, (0..999).map(failure));
        list(&mut listed, (999..1_001).map(failure));
        list(&mut listed, [failure(1_001)]);
        assert_eq!(listed, Vec::from_iter((0..1_000).map(failure)));
    }
}

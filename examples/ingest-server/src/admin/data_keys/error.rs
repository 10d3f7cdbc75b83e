//! Why a use case on data keys, indexes or erasure did not succeed.

use std::time::Duration;

use portcullis_audit_log::event::Code;
use portcullis_keyring::{
    IllegalTransition, KeyId, KeyState, PrepareError, RewrapError, RotateError,
    clock::Waiting,
    store::{ChangeError, StoreError as KeyStoreError},
};
use portcullis_pii_crypto::reencrypt::SweepError;

use crate::{
    admin::{ActionResult, job::UnderWay, recorder::Recorded},
    audit::{Held, Unrecorded},
    store::{ErasureNoteError, StoreError, TombstonesError, UnusableState},
};

/// Why it did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataKeyError {
    /// Something about the request; the text says what it must be.
    #[error("{0}")]
    Invalid(String),
    /// A version that this process does not have; the text names the field, and those that it has.
    #[error("{0}")]
    NotConfigured(String),
    #[error("{}", no_key_of(.0.as_deref()))]
    UnknownTenant(Option<String>),
    #[error("no data key seals for this tenant and purpose yet: there is nothing to rotate")]
    NothingToRotate,
    #[error("there is no data key of that id; list the keys to find it")]
    NotFound,
    #[error("the tenant has no lead of that id")]
    NoLead,
    #[error(
        "there is nothing of that tenant, and there was not: no key, lead or event; nothing was noted"
    )]
    NoTenant,
    #[error("{rows} rows still need the key: re-encrypt, and verify")]
    RowsLeft { rows: u64 },
    /// Rows need a key that is refused, and so cannot be sealed again.
    #[error(
        "{rows} rows still need the key, which is {state}: `keys restore {key}` takes it back; then re-encrypt, and \
         verify"
    )]
    RowsRefused {
        rows: u64,
        key: KeyId,
        state: KeyState,
    },
    #[error(
        "the key seals what lies beside the audit log, where no row tells that it is needed: it goes with its \
         tenant, when that is erased"
    )]
    NeededByAudit,
    #[error(transparent)]
    Held(#[from] Held),
    #[error("it is too soon: try again in {}", Waiting::new(*ready_in))]
    TooSoon { ready_in: Duration },
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    /// The keys are not what the request takes them for.
    #[error("the key has changed in the meantime: list the keys again")]
    Changed,
    #[error("{0}")]
    Conflict(String),
    #[error(transparent)]
    UnderWay(#[from] UnderWay),
    #[error(transparent)]
    Unrecorded(#[from] Unrecorded),
    #[error("the store of data keys failed")]
    Keys(#[source] KeyStoreError),
    #[error("the data keys cannot be used")]
    Prepare(#[source] PrepareError),
    #[error("the store failed")]
    Store(#[from] StoreError),
    #[error("the rows cannot be gone over")]
    Sweep(#[source] SweepError),
    #[error("the index cannot be used")]
    Index(#[from] UnusableState),
    #[error("the erasure could not be noted, so nothing was erased")]
    Unnoted(#[from] TombstonesError),
    #[error("it was not done")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl DataKeyError {
    pub(crate) fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Other(error.into())
    }

    /// Whether it is what was asked for, rather than something that failed.
    pub(crate) const fn is_rejected(&self) -> bool {
        matches!(
            self,
            Self::Invalid(_)
                | Self::NotConfigured(_)
                | Self::UnknownTenant(_)
                | Self::NothingToRotate
                | Self::NotFound
                | Self::NoLead
                | Self::NoTenant
                | Self::RowsLeft { .. }
                | Self::RowsRefused { .. }
                | Self::NeededByAudit
                | Self::Held(_)
                | Self::TooSoon { .. }
                | Self::Illegal(_)
                | Self::Changed
                | Self::Conflict(_)
                | Self::UnderWay(_)
        )
    }
}

/// A name is repeated where it cannot be mistaken for anything else.
fn no_key_of(tenant: Option<&str>) -> String {
    let whose = tenant.map_or_else(
        || "that tenant".to_owned(),
        |name| format!("tenant `{name}`"),
    );
    format!("there is no data key of {whose}; list the keys to find those that have one")
}

impl Recorded for DataKeyError {
    fn recorded(&self) -> (ActionResult, Code) {
        let detail = match self {
            Self::Invalid(_) | Self::NotConfigured(_) => "bad_request",
            Self::NotFound
            | Self::NoLead
            | Self::NoTenant
            | Self::UnknownTenant(_)
            | Self::NothingToRotate => "not_found",
            Self::RowsLeft { .. }
            | Self::RowsRefused { .. }
            | Self::NeededByAudit
            | Self::TooSoon { .. }
            | Self::Illegal(_)
            | Self::Changed
            | Self::Conflict(_)
            | Self::UnderWay(_) => "conflict",
            Self::Held(_) => return (ActionResult::Rejected, Held::CODE),
            Self::Unrecorded(_) => "capacity.audit_unavailable",
            Self::Keys(_) | Self::Store(_) | Self::Sweep(SweepError::Rows(_)) => {
                "capacity.store_unavailable"
            }
            Self::Prepare(_) | Self::Sweep(SweepError::Keys(_)) | Self::Index(_) => {
                "capacity.keys_unavailable"
            }
            Self::Unnoted(_) => "capacity.erasures_unavailable",
            Self::Sweep(_) | Self::Other(_) => "internal",
        };
        let result = if self.is_rejected() {
            ActionResult::Rejected
        } else {
            ActionResult::Failed
        };
        (result, Code::new(detail))
    }
}

impl From<KeyStoreError> for DataKeyError {
    fn from(error: KeyStoreError) -> Self {
        Self::Keys(error)
    }
}

impl From<PrepareError> for DataKeyError {
    fn from(error: PrepareError) -> Self {
        match error {
            PrepareError::Store(error) => Self::Keys(error),
            PrepareError::Contended => Self::Changed,
            error => Self::Prepare(error),
        }
    }
}

impl From<ErasureNoteError> for DataKeyError {
    fn from(error: ErasureNoteError) -> Self {
        match error {
            ErasureNoteError::File(error) => Self::Unnoted(error),
            ErasureNoteError::Store(error) => Self::Store(error),
        }
    }
}

impl From<SweepError> for DataKeyError {
    fn from(error: SweepError) -> Self {
        Self::Sweep(error)
    }
}

impl From<RotateError> for DataKeyError {
    fn from(error: RotateError) -> Self {
        match error {
            RotateError::UnknownKey(_) => Self::NotFound,
            RotateError::TooYoung { ready_in } | RotateError::TooSoon { ready_in, .. } => {
                Self::TooSoon { ready_in }
            }
            RotateError::Illegal(error) => Self::Illegal(error),
            RotateError::Change(ChangeError::Conflict) => Self::Changed,
            RotateError::Change(ChangeError::Store(error)) => Self::Keys(error),
            RotateError::Prepare(error) => error.into(),
            error => Self::other(error),
        }
    }
}

impl From<RewrapError> for DataKeyError {
    fn from(error: RewrapError) -> Self {
        match error {
            RewrapError::UnknownKey(_) => Self::NotFound,
            RewrapError::Kek(error) => Self::Prepare(error.into()),
            RewrapError::Change(ChangeError::Store(error)) | RewrapError::Store(error) => {
                Self::Keys(error)
            }
            RewrapError::Change(_) => Self::Changed,
            error => Self::other(error),
        }
    }
}

//! Who seals what people typed.

use std::{error::Error, fmt};

use async_trait::async_trait;

use crate::event::{EventId, Id, Personal};

/// Seals personal parts, so that what lies beside the log says nothing without a key.
///
/// # Contract
/// A sealed part opens for its tenant and event alone, and once the tenant's key is destroyed, never again. Keys are
/// prepared once for all parts of a call. A log makes a call for each tenant that a group has parts of, all at once, and
/// gives each 500 ms: what is not answered by then is lost, for that tenant alone.
#[async_trait]
pub trait Sealer: fmt::Debug + Send + Sync {
    /// Seals parts; the answers stand in the order of the parts.
    async fn seal(&self, parts: &[PartToSeal<'_>]) -> Vec<Result<Vec<u8>, SealError>>;

    /// Opens a part.
    ///
    /// # Errors
    /// [`SealError`], [damaged](SealError::is_damaged) if it is not what was sealed. It tells nothing of what was.
    async fn open(&self, tenant: &Id, event: EventId, sealed: &[u8])
    -> Result<Personal, SealError>;
}

/// A personal part, and what it is bound to.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct PartToSeal<'a> {
    /// Whose event it is.
    pub tenant: &'a Id,
    /// The event.
    pub event: EventId,
    /// What is to be sealed.
    pub personal: &'a Personal,
}

/// A part was not sealed or opened.
#[derive(Debug, thiserror::Error)]
#[error("a personal part was not sealed or opened")]
pub struct SealError {
    is_damaged: bool,
    source: Box<dyn Error + Send + Sync>,
}

impl SealError {
    /// The key is not there, for now or for ever. For `map_err`.
    pub fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            is_damaged: false,
            source: source.into(),
        }
    }

    /// What was to be opened is not what was sealed for this tenant and event. For `map_err`.
    pub fn damaged(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            is_damaged: true,
            source: source.into(),
        }
    }

    /// Whether what was to be opened was changed since it was sealed, or is another part. Without its key nobody can
    /// tell, and it is not.
    #[must_use]
    pub const fn is_damaged(&self) -> bool {
        self.is_damaged
    }
}

impl<'a> PartToSeal<'a> {
    /// A part to seal.
    #[must_use]
    pub const fn new(tenant: &'a Id, event: EventId, personal: &'a Personal) -> Self {
        Self {
            tenant,
            event,
            personal,
        }
    }
}

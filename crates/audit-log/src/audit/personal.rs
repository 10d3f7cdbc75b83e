//! Personal parts, read.

use std::num::NonZeroUsize;

use crate::{
    event::{Id, InvalidPersonal, Leaf, Personal},
    sealer::{SealError, Sealer},
    store::{Store, StoreError},
};

/// Why a personal part is not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PersonalError {
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be opened, as when the key of its tenant is destroyed.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// It is not what the leaf commits to.
    #[error(transparent)]
    Changed(#[from] InvalidPersonal),
}

impl PersonalError {
    /// Whether what lies beside the leaf is not what was put there: it was changed, or is another part. A part that
    /// nobody can open, as without the key of its tenant, is not.
    #[must_use]
    pub const fn is_damaged(&self) -> bool {
        match self {
            Self::Store(StoreError::Damaged(_)) | Self::Changed(_) => true,
            Self::Sealed(error) => error.is_damaged(),
            Self::Store(_) => false,
        }
    }
}

/// The personal part of a leaf, opened and compared with what the leaf commits to.
pub(super) async fn opened(
    store: &dyn Store,
    sealer: Option<&dyn Sealer>,
    n: u64,
) -> Result<Option<Personal>, PersonalError> {
    let batch = store.entries(n, NonZeroUsize::MIN).await?;
    let Some((_, bytes)) = batch.iter().next() else {
        return Ok(None);
    };
    let leaf = Leaf::parse(bytes).map_err(StoreError::damaged)?;
    of_leaf(store, sealer, &leaf).await
}

/// The same, of a leaf that is read.
pub(super) async fn of_leaf(
    store: &dyn Store,
    sealer: Option<&dyn Sealer>,
    leaf: &Leaf<'_>,
) -> Result<Option<Personal>, PersonalError> {
    let (Some(commitment), Some(sealer)) = (leaf.personal(), sealer) else {
        return Ok(None);
    };
    let Some(sealed) = store.personal(leaf.numbers().in_tree).await? else {
        return Ok(None);
    };
    let tenant = Id::of_leaf(leaf.tenant());
    let personal = sealer.open(&tenant, leaf.id(), &sealed).await?;
    commitment.verify(&personal)?;
    Ok(Some(personal))
}

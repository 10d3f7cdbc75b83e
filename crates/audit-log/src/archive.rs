//! The same log in another object store, where nothing is ever overwritten.

mod archive_error;
mod archive_source;
mod filling;
mod numbered;

use std::sync::Arc;

use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutMode, PutPayload, path::Path};

use crate::note::{MAX_NOTE_BYTES, SignedNote};

pub(crate) use self::numbered::{Numbers, SIZE_GROUPS, name_of};
pub use self::{archive_error::ArchiveError, archive_source::ArchiveSource, filling::Archived};
pub use object_store;

/// One log in an object store: the tiles and bundles of C2SP tlog-tiles under their paths, and below `checkpoints/` each
/// checkpoint that it was filled up to, by its size.
///
/// Every object is put there if it is not there, and never again: the service needs no right to overwrite or delete, and
/// a bucket with object lock takes it from everybody. An object that is there with other bytes is an error that names
/// it.
///
/// Each log of an origin ([`Generation`](crate::audit::Generation)) has an archive of its own.
#[derive(Debug, Clone)]
pub struct Archive {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
}

/// The objects below `checkpoints/`: numbers of sizes, in seven groups of three digits.
const CHECKPOINTS: Numbers = Numbers {
    under: "checkpoints",
    depth: SIZE_GROUPS,
};

impl Archive {
    /// The log below a prefix of a store; the empty prefix is all of the store.
    ///
    /// # Errors
    /// [`ArchiveError::Prefix`].
    pub fn new(store: Arc<dyn ObjectStore>, prefix: &str) -> Result<Self, ArchiveError> {
        let prefix = Path::parse(prefix).map_err(ArchiveError::prefix)?;
        Ok(Self { store, prefix })
    }

    /// The checkpoint of the largest tree that it was filled up to. It is not verified.
    ///
    /// # Errors
    /// [`ArchiveError`].
    pub async fn checkpoint(&self) -> Result<Option<SignedNote>, ArchiveError> {
        self.largest(CHECKPOINTS).await
    }

    /// The note with the largest number.
    pub(crate) async fn largest(
        &self,
        numbers: Numbers,
    ) -> Result<Option<SignedNote>, ArchiveError> {
        let under = self.path(numbers.under)?;
        let found = numbered::largest(&*self.store, &under, numbers.depth).await;
        let failed = ArchiveError::store(numbers.under);
        let Some(path) = found.map_err(failed)? else {
            return Ok(None);
        };
        let bytes = self.bytes(&path, MAX_NOTE_BYTES).await?;
        let note = bytes.map(|bytes| SignedNote::parse(&bytes)).transpose();
        note.map_err(|_| ArchiveError::NoNote {
            path: path.to_string().into(),
        })
    }

    /// Puts a note that is not there. One with the same text is, by whatever keys it is signed.
    pub(crate) async fn put_note(
        &self,
        path: &str,
        note: &SignedNote,
    ) -> Result<bool, ArchiveError> {
        let is_same = |there: &[u8]| {
            let there = SignedNote::parse(there);
            there.is_ok_and(|there| there.unverified_text() == note.unverified_text())
        };
        self.put(path, note.to_string().into_bytes(), is_same).await
    }

    /// Puts an object that is not there. Whether it was put.
    async fn put(
        &self,
        path: &str,
        bytes: Vec<u8>,
        is_same: impl Fn(&[u8]) -> bool,
    ) -> Result<bool, ArchiveError> {
        let at = self.path(path)?;
        let length = bytes.len();
        let put = self
            .store
            .put_opts(&at, PutPayload::from(bytes), PutMode::Create.into());
        match put.await {
            Ok(_) => return Ok(true),
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => {}
            Err(error) => return Err(ArchiveError::store(path)(error)),
        }
        match self.bytes(&at, length.max(MAX_NOTE_BYTES)).await {
            Ok(Some(there)) if is_same(&there) => Ok(false),
            Ok(_) | Err(ArchiveError::TooLong { .. }) => {
                Err(ArchiveError::Different { path: path.into() })
            }
            Err(error) => Err(error),
        }
    }

    /// An object, if it is there.
    async fn bytes(&self, at: &Path, at_most: usize) -> Result<Option<Vec<u8>>, ArchiveError> {
        let failed = ArchiveError::store(at.as_ref());
        let found = match self.store.get(at).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        if usize::try_from(found.meta.size).map_or(true, |size| size > at_most) {
            let path = at.as_ref().into();
            return Err(ArchiveError::TooLong { path, at_most });
        }
        let bytes = found.bytes().await.map_err(failed)?;
        Ok(Some(bytes.to_vec()))
    }

    fn path(&self, within: &str) -> Result<Path, ArchiveError> {
        let whole = if self.prefix.as_ref().is_empty() {
            within.to_owned()
        } else {
            format!("{}/{within}", self.prefix)
        };
        Path::parse(whole).map_err(ArchiveError::prefix)
    }
}

#[cfg(test)]
mod tests;

//! Where all of a log is kept for ever.

mod filling;

use std::{num::NonZeroU32, sync::Arc};

use portcullis_audit_log::{
    archive::{
        Archive, ArchiveError,
        object_store::{self, ObjectStore, local::LocalFileSystem},
    },
    checkpoint::Policy,
    note::VerifyingKey,
    store::Store,
};
use tokio::sync::OnceCell;

use crate::config::ArchivePlace;

pub(crate) use self::filling::FillError;
pub(super) use self::filling::{Filling, archive};

/// The archive of a log, once its place is there.
#[derive(Debug)]
pub(crate) struct LogArchive {
    place: ArchivePlace,
    /// Below which name in that place.
    name: String,
    /// Whether another log has followed it.
    is_followed: bool,
    opened: OnceCell<Archive>,
}

/// An archive cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnusableArchive {
    #[error(
        "the place of the archive cannot be used: a folder has to be there, and a bucket takes AWS_* of the environment"
    )]
    ObjectStore(#[from] object_store::Error),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[cfg(not(feature = "audit-archive"))]
    #[error("buckets need the cargo feature `audit-archive`, which this build does not contain")]
    NoBuckets,
}

impl LogArchive {
    /// That of a log in the folder of that name: of the first, or of one that follows an accepted rollback.
    pub(crate) fn new(place: &ArchivePlace, log: &str, generation: NonZeroU32) -> Self {
        let name = match generation {
            NonZeroU32::MIN => log.to_owned(),
            number => format!("{log}/generation-{number}"),
        };
        Self {
            place: place.clone(),
            name,
            is_followed: false,
            opened: OnceCell::new(),
        }
    }

    /// That of a log which another has followed: there may be less of it than the archive has, since it was put back.
    pub(crate) fn followed(self) -> Self {
        Self {
            is_followed: true,
            ..self
        }
    }

    /// Where it is, as the program that verifies it has it.
    pub(crate) fn url(&self) -> String {
        let place = self.place.to_string();
        format!("{}/{}", place.trim_end_matches('/'), self.name)
    }

    /// Brings there what a log has published more, and gives how many entries are there.
    pub(crate) async fn fill(
        &self,
        log: &Arc<dyn Store>,
        keys: &[VerifyingKey],
    ) -> Result<u64, FillError> {
        let policy = Policy::new(keys.to_vec())?;
        let archived = self.open().await?.fill(log, &policy).await?;
        let (size, ahead) = (archived.size, archived.ahead);
        if ahead > 0 && !self.is_followed {
            return Err(FillError::Ahead { size, ahead });
        }
        Ok(size)
    }

    /// Opens it, unless it is.
    pub(crate) async fn open(&self) -> Result<&Archive, UnusableArchive> {
        let open = async || {
            let (store, prefix): (Arc<dyn ObjectStore>, _) = match &self.place {
                ArchivePlace::Folder(folder) => {
                    // What is there may be taken out of the log.
                    let folder = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
                    (Arc::new(folder), "")
                }
                ArchivePlace::Bucket { bucket, prefix } => (in_bucket(bucket)?, &**prefix),
            };
            let under = match prefix {
                "" => self.name.clone(),
                prefix => format!("{prefix}/{}", self.name),
            };
            Ok(Archive::new(store, &under)?)
        };
        self.opened.get_or_try_init(open).await
    }
}

#[cfg(feature = "audit-archive")]
fn in_bucket(bucket: &str) -> Result<Arc<dyn ObjectStore>, UnusableArchive> {
    use std::time::Duration;

    use portcullis_audit_log::archive::object_store::{RetryConfig, aws::AmazonS3Builder};

    // That one is there already is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    // Who fills it tries again by a schedule of its own, and tells.
    let retry = RetryConfig {
        max_retries: 2,
        retry_timeout: Duration::from_secs(30),
        ..RetryConfig::default()
    };
    let store = AmazonS3Builder::from_env()
        .with_bucket_name(bucket)
        .with_retry(retry);
    Ok(Arc::new(store.build()?))
}

#[cfg(not(feature = "audit-archive"))]
fn in_bucket(_: &str) -> Result<Arc<dyn ObjectStore>, UnusableArchive> {
    Err(UnusableArchive::NoBuckets)
}

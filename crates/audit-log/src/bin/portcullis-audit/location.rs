//! Where a log is.

use std::{
    path::{Path, PathBuf},
    str::FromStr,
};

use portcullis_audit_log::source::{CHECKPOINT_PATH, FolderSource, LogSource};
#[cfg(unix)]
use portcullis_audit_log::store::{FileStoreError, StoredIndex};
use reqwest::Url;

#[cfg(feature = "archive")]
use super::archived_log::ArchivedLog;
use super::{Failure, http_source::HttpSource};

/// A folder, or the URL of one, or an archive.
#[derive(Debug, Clone)]
pub(super) enum Location {
    Folder(PathBuf),
    Web(Url),
    #[cfg(feature = "archive")]
    Archive(Url),
}

/// What a store publishes, in its own folder.
const PUBLISHED: &str = "log";

/// What is neither.
#[derive(Debug, thiserror::Error)]
pub(super) enum InvalidLocation {
    #[error("the URL must be one of http or https")]
    Url,
    #[cfg(feature = "archive")]
    #[error("the URL of an archive must be a whole one, as s3://bucket/prefix")]
    Archive,
    #[error("the URL of a log has no user, no query and no fragment")]
    More,
}

impl FromStr for Location {
    type Err = InvalidLocation;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_web = ["http://", "https://"].iter().any(|scheme| {
            text.get(..scheme.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        });
        #[cfg(feature = "archive")]
        if ["s3://", "file://"]
            .iter()
            .any(|scheme| text.starts_with(scheme))
        {
            let url = text.parse().map_err(|_| InvalidLocation::Archive)?;
            return Ok(Self::Archive(url));
        }
        if !is_web {
            return Ok(Self::Folder(text.into()));
        }
        let mut url: Url = text.parse().map_err(|_| InvalidLocation::Url)?;
        let has_user = !url.username().is_empty() || url.password().is_some();
        if has_user || url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidLocation::More);
        }
        // What is joined to it stands below it.
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(Self::Web(url))
    }
}

impl Location {
    pub(super) fn source(&self) -> Result<Box<dyn LogSource>, Failure> {
        Ok(match self {
            Self::Folder(path) => {
                let published = self.of_store().map(|store| store.join(PUBLISHED));
                Box::new(FolderSource::new(published.as_ref().unwrap_or(path)))
            }
            Self::Web(url) => Box::new(HttpSource::new(url.clone())?),
            #[cfg(feature = "archive")]
            Self::Archive(url) => Box::new(ArchivedLog::open(url)?),
        })
    }

    /// The index of the store, if it is the folder of one.
    #[cfg(unix)]
    pub(super) fn index(&self) -> Result<Option<StoredIndex>, FileStoreError> {
        self.of_store().map(StoredIndex::open).transpose()
    }

    /// The folder, if it is that of a store, which has the one that is published in it.
    fn of_store(&self) -> Option<&Path> {
        match self {
            Self::Folder(path)
                if !path.join(CHECKPOINT_PATH).exists()
                    && path.join(PUBLISHED).join(CHECKPOINT_PATH).exists() =>
            {
                Some(path)
            }
            _ => None,
        }
    }
}

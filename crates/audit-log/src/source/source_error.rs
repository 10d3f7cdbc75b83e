//! Why a file of a log cannot be read.

use std::{error::Error, sync::Arc};

/// What went wrong with a file that is there, or may be.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The disk, the network or the server.
    #[error("{path} cannot be read")]
    Unreadable {
        /// Which file.
        path: Box<str>,
        /// What was said about it.
        source: Arc<dyn Error + Send + Sync>,
    },
    /// There is more of it than any file of its kind has.
    #[error("{path} has more than {at_most} bytes")]
    TooLong {
        /// Which file.
        path: Box<str>,
        /// How many it may have.
        at_most: usize,
    },
}

impl SourceError {
    /// For `map_err`.
    pub fn unreadable<E: Into<Box<dyn Error + Send + Sync>>>(path: &str) -> impl FnOnce(E) -> Self {
        move |source| Self::Unreadable {
            path: path.into(),
            source: Arc::from(source.into()),
        }
    }

    /// Which file it is about.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Unreadable { path, .. } | Self::TooLong { path, .. } => path,
        }
    }
}

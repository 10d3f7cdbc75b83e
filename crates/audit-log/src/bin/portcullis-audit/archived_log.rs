//! A log in an object store.

use portcullis_audit_log::{
    archive::{Archive, ArchiveError, ArchiveSource, object_store},
    source::{LogSource, SourceError},
};
use reqwest::Url;
use tokio::runtime::{Builder, Runtime};

/// An archive, and what waits for its answers.
#[derive(Debug)]
pub(super) struct ArchivedLog {
    source: ArchiveSource,
    _runtime: Runtime,
}

/// There is no object store at a URL.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error("the object store cannot be set up: it takes AWS_* of the environment")]
    Store(#[from] object_store::Error),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error("no thread can be started")]
    Runtime(#[from] std::io::Error),
}

impl ArchivedLog {
    /// At a URL of scheme `s3` or `file`.
    pub(super) fn open(url: &Url) -> Result<Self, StoreError> {
        // That one is there already is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let (store, prefix) = object_store::parse_url_opts(url, settings())?;
        let archive = Archive::new(store.into(), prefix.as_ref())?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let source = ArchiveSource::new(archive, runtime.handle().clone());
        Ok(Self {
            source,
            _runtime: runtime,
        })
    }
}

/// What the environment says of the object store.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place in which the program reads its environment"
)]
fn settings() -> impl Iterator<Item = (String, String)> {
    // Values that are no text belong to somebody else.
    let all = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?.to_ascii_lowercase();
        Some((name, value.into_string().ok()?))
    });
    all.filter(|(name, _)| name.starts_with("aws_"))
}

impl LogSource for ArchivedLog {
    fn read(&self, path: &str, at_most: usize) -> Result<Option<Vec<u8>>, SourceError> {
        self.source.read(path, at_most)
    }
}

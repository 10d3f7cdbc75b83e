//! Why the probe cannot begin, and that something failed in the only round.

use std::{net::SocketAddr, path::PathBuf};

use portcullis_keyring::entropy::EntropyError;
use portcullis_telemetry::MetricError;

use super::{base_url::BaseUrlError, keys::KeysError};

/// The probe could not begin, or a step of its only round failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProbeError {
    #[error("--url {0}")]
    BaseUrl(BaseUrlError),
    #[error("--key-file {path}: {error}", path = path.display())]
    Keys { path: PathBuf, error: KeysError },
    #[error("--listen must be an address and a port, such as 127.0.0.1:9115")]
    Listen,
    #[error("--listen: cannot listen on {address}: {kind}")]
    Bind {
        address: SocketAddr,
        kind: std::io::ErrorKind,
    },
    #[error("the authorities of this machine, which prove who answers, cannot be used")]
    Tls(#[from] rustls::Error),
    #[error("the HTTP client cannot be built")]
    Client,
    #[error(transparent)]
    Random(#[from] EntropyError),
    #[error("the metrics of the probe cannot be registered")]
    Metrics(#[from] MetricError),
    #[error("{0} steps failed or were not reached")]
    Failed(usize),
}

/// Not as its source, which would be told twice.
impl From<BaseUrlError> for ProbeError {
    fn from(error: BaseUrlError) -> Self {
        Self::BaseUrl(error)
    }
}

impl ProbeError {
    /// Whether it is something to set right.
    pub(crate) const fn is_usage_error(&self) -> bool {
        matches!(
            self,
            Self::BaseUrl(_) | Self::Keys { .. } | Self::Listen | Self::Bind { .. }
        )
    }
}

//! Why the service does not start.

use portcullis_keyring::entropy::EntropyError;
use portcullis_telemetry::MetricError;

use super::{
    descriptors::TooFewDescriptors, erasures::PrepareError, listeners::ListenError,
    policies::PoliciesError,
};
use crate::{
    backend::{AuditOpenError, BackendError},
    clock::ClockNotSet,
};

/// The service could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Backend(#[from] BackendError),
    #[error(transparent)]
    Audit(#[from] AuditOpenError),
    #[error("a metric cannot be registered")]
    Metrics(#[from] MetricError),
    #[error(transparent)]
    Descriptors(#[from] TooFewDescriptors),
    #[error(transparent)]
    Random(#[from] EntropyError),
    #[error(transparent)]
    Clock(#[from] ClockNotSet),
    #[error(transparent)]
    Policies(#[from] PoliciesError),
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error("the system gives no thread or no file descriptor: {0}")]
    Thread(std::io::ErrorKind),
}

impl StartError {
    /// Whether it is something to set right, which no further start does.
    pub(crate) const fn is_configuration(&self) -> bool {
        match self {
            Self::Backend(error) => error.is_configuration(),
            Self::Audit(error) => error.is_configuration(),
            Self::Prepare(error) => error.is_configuration(),
            Self::Clock(_) | Self::Descriptors(_) => true,
            _ => false,
        }
    }
}

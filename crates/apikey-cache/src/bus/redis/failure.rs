//! Why a server did not carry something.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::bus::BusError;

/// Why a server did not carry something.
///
/// What the server said is left out but for its code: servers repeat what they do not understand, a password
/// for instance.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("the server did not answer in time")]
    TimedOut,
    #[error("the connection to the server failed")]
    Broken,
    #[error("the server has become a replica, which takes no notices")]
    ReadOnly,
    #[error("the server refuses: {0}")]
    Refused(String),
    #[error(
        "the stream is on another node of the cluster; set the mode of the bus to cluster if it is not"
    )]
    Moved,
    #[error("the client cannot use the server: {0:?}")]
    Client(ErrorKind),
}

impl Failure {
    /// Whether another connection has to be made.
    pub(super) fn breaks_connection(&self) -> bool {
        match self {
            // The name of a replica may lead to another server by now, and another node may have the slot.
            Self::TimedOut | Self::Broken | Self::ReadOnly | Self::Moved | Self::Client(_) => true,
            Self::Refused(_) => false,
        }
    }
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        match error.kind() {
            _ if error.is_timeout() => Self::TimedOut,
            ErrorKind::Io => Self::Broken,
            ErrorKind::Server(ServerErrorKind::ReadOnly) => Self::ReadOnly,
            ErrorKind::Server(ServerErrorKind::Moved | ServerErrorKind::Ask) => Self::Moved,
            kind => error
                .code()
                .map_or(Self::Client(kind), |code| Self::Refused(code.to_owned())),
        }
    }
}

impl From<Failure> for BusError {
    fn from(failure: Failure) -> Self {
        Self::unavailable(failure)
    }
}

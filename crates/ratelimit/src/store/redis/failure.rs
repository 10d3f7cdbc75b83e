//! Why a server did not decide.

use std::sync::Arc;

use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::{observer::RoundTripEnd, store::StoreError};

/// Why a server did not decide. No message names a server, a key or a tenant.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("too many questions to the server are under way")]
    Crowded,
    #[error("the server did not answer within the deadline")]
    TimedOut,
    #[error("there is no connection to the server")]
    NotConnected(#[source] Arc<RedisError>),
    #[error("the connection to the server was not established in time")]
    NotConnectedInTime,
    #[error("the server is one of a cluster; set the mode of the store to cluster")]
    OfACluster,
    #[error("the server or the connection failed")]
    Failed(#[source] Arc<RedisError>),
    #[error("a key of the rate limits holds something else")]
    NotABucket,
    #[error("the server's reply is not one of the script")]
    WrongReply,
}

impl Failure {
    /// Whether a new connection has to be made.
    pub(super) fn breaks_connection(&self) -> bool {
        match self {
            // A server that has become a replica: its name may lead to another by now.
            Self::Failed(error) => {
                error.is_unrecoverable_error()
                    || error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
            }
            _ => false,
        }
    }

    pub(super) fn end(&self) -> RoundTripEnd {
        match self {
            Self::Crowded => RoundTripEnd::Crowded,
            Self::TimedOut => RoundTripEnd::TimedOut,
            _ => RoundTripEnd::Failed,
        }
    }
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        match error.kind() {
            ErrorKind::UnexpectedReturnType | ErrorKind::Parse => Self::WrongReply,
            ErrorKind::Server(ServerErrorKind::Moved | ServerErrorKind::Ask) => Self::OfACluster,
            _ => Self::Failed(Arc::new(error)),
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotABucket | Failure::WrongReply => Self::Malformed(failure.into()),
            Failure::Crowded => Self::NotAsked(failure.into()),
            _ => Self::Unavailable(failure.into()),
        }
    }
}

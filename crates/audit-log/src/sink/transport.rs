//! What sends requests and lines: the service.

use std::{error::Error, fmt, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode};

use super::{AddressPolicy, AddressRefused};

/// How long a receiver has to answer, as Standard Webhooks advises.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// Sends requests.
///
/// # Contract
/// * A redirect is an answer, and is not followed: the place that it names was not checked.
/// * The addresses that the host resolves to are given to [`RequestLimits::addresses`] before anything is sent, and what
///   was checked is what is connected to: another resolution may give other addresses.
/// * Proxies of the environment are not used, or check the same.
/// * It may be dropped at any time, and the follower does so after [`RequestLimits::timeout`].
/// * Of an answer no more than [`RequestLimits::max_body`] bytes are kept: a longer one is
///   [`TransportError::TooLong`], unless that is 0. Then no more than the head is wanted.
#[async_trait]
pub trait Transport: fmt::Debug + Send + Sync {
    /// Sends a request, and gives the answer.
    ///
    /// # Errors
    /// [`TransportError`], if there was none.
    async fn request(
        &self,
        request: Request<Bytes>,
        limits: &RequestLimits,
    ) -> Result<Reply, TransportError>;
}

/// Writes lines or frames: to a connection over TLS, or a file.
///
/// # Contract
/// * It returns when everything was written out and flushed. What a receiver of syslog has made of it, nobody is told.
/// * After an error it begins with another connection: a part of a frame may be in the old one.
/// * It may be dropped at any time, and does the same then.
#[async_trait]
pub trait LineWriter: fmt::Debug + Send + Sync {
    /// Writes whole lines or frames.
    ///
    /// # Errors
    /// [`TransportError`]; some may have been written.
    async fn write(&self, lines: Bytes) -> Result<(), TransportError>;
}

/// What a [`Transport`] keeps to.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RequestLimits {
    /// Until the head of the answer is there.
    pub timeout: Duration,
    /// Which addresses may be connected to.
    pub addresses: AddressPolicy,
    /// The most bytes of an answer's body, if it is wanted at all: 0 without that.
    pub max_body: usize,
}

/// An answer.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its `Retry-After`, from now on.
    pub retry_after: Option<Duration>,
    /// Its body, if [`RequestLimits::max_body`] asks for it.
    pub body: Bytes,
}

/// Why nothing was answered. It names no address and nothing that was sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The receiver cannot be reached, or has ended the connection.
    #[error("the receiver cannot be reached")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// It resolves to an address that is not allowed.
    #[error(transparent)]
    Address(#[from] AddressRefused),
    /// It did not answer in time.
    #[error("the receiver did not answer in time")]
    TimedOut,
    /// Its answer has more bytes than it may have.
    #[error("the answer of the receiver is too long")]
    TooLong,
}

impl RequestLimits {
    /// 15 seconds, these addresses, and no body.
    #[must_use]
    pub const fn new(addresses: AddressPolicy) -> Self {
        Self {
            timeout: REQUEST_TIMEOUT,
            addresses,
            max_body: 0,
        }
    }
}

impl Reply {
    /// An answer of this status.
    #[must_use]
    pub const fn new(status: StatusCode) -> Self {
        Self {
            status,
            retry_after: None,
            body: Bytes::new(),
        }
    }

    /// With a `Retry-After`.
    #[must_use]
    pub fn retry_after(self, after: Duration) -> Self {
        Self {
            retry_after: Some(after),
            ..self
        }
    }

    /// With a body.
    #[must_use]
    pub fn body(self, body: Bytes) -> Self {
        Self { body, ..self }
    }
}

impl TransportError {
    /// For `map_err`.
    pub fn unreachable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unreachable(source.into())
    }
}

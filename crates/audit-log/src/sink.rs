//! Following a log, and delivering it elsewhere.
//!
//! A [`Follower`] reads leaves behind a durable cursor and gives them to a [`Sink`]: each at least once, in their order,
//! from where it was when the process ended. It is never in the way of those who record: when a receiver is slow, the
//! cursor stays behind, and [`SinkStatus`] tells how far.
//!
//! This crate opens no socket. What is to be sent are requests and lines, and a [`Transport`] or [`LineWriter`] of the
//! service sends them.

mod addresses;
mod follow_end;
mod follower;
mod http_sink;
mod line_sink;
mod network;
mod retry;
mod status;
mod transport;

use async_trait::async_trait;

use crate::{event::Timestamp, export::Entry};

pub use self::{
    addresses::{AddressPolicy, AddressRefused, is_public},
    follow_end::FollowEnd,
    follower::Follower,
    http_sink::{OtlpSink, WebhookSink},
    line_sink::{OcsfLines, SyslogSink},
    network::{InvalidNetwork, Network},
    retry::RetrySchedule,
    status::SinkStatus,
    transport::{LineWriter, REQUEST_TIMEOUT, Reply, RequestLimits, Transport, TransportError},
};

/// Where leaves are delivered to.
///
/// # Contract
/// * [`deliver`](Self::deliver) returns when the receiver has taken all of them over. What it failed for may have been
///   taken over in part, and comes again.
/// * It may be dropped at any time.
#[async_trait]
pub trait Sink: std::fmt::Debug + Send + Sync {
    /// The most leaves that it takes at once.
    fn max_entries(&self) -> std::num::NonZeroUsize;

    /// When to try again what failed.
    fn retries(&self) -> RetrySchedule;

    /// Delivers leaves that follow one another; `now` is the time of the attempt.
    ///
    /// # Errors
    /// [`DeliveryError`] says whether to try again.
    async fn deliver(&self, entries: &[Entry<'_>], now: Timestamp) -> Result<(), DeliveryError>;
}

/// Why leaves were not delivered. It names neither what was sent nor where to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeliveryError {
    /// The receiver did not take them; it may later.
    #[error("the receiver answered with status {status}")]
    Refused {
        /// The status of the answer.
        status: http::StatusCode,
        /// When it asks to be tried again, from now on.
        after: Option<std::time::Duration>,
    },
    /// The receiver wants no more, ever: status 410.
    #[error("the receiver is gone; take it out of the configuration")]
    Gone,
    /// It could not be sent.
    #[error(transparent)]
    Transport(#[from] TransportError),
}

#[cfg(test)]
mod tests;

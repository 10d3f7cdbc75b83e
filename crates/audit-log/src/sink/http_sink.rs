//! Sinks that take requests.

use std::{num::NonZeroUsize, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode};
use tokio::time::timeout;

use super::{
    AddressPolicy, DeliveryError, RequestLimits, RetrySchedule, Sink, Transport, TransportError,
};
use crate::{
    event::Timestamp,
    export::{Entry, Otlp, Webhook},
};

/// Delivers each leaf as a webhook. After 10 attempts in 75 hours it ends, and after an answer 410 at once.
#[derive(Debug)]
pub struct WebhookSink {
    webhook: Webhook,
    sender: Sender,
}

/// Delivers leaves to a collector of OpenTelemetry, up to 64 in a request.
#[derive(Debug)]
pub struct OtlpSink {
    otlp: Otlp,
    sender: Sender,
}

/// At most 4 MB, which collectors take: the longest leaf is a record of 60 KB.
const OTLP_ENTRIES: NonZeroUsize = NonZeroUsize::new(64).expect("it is not zero");

#[derive(Debug)]
struct Sender {
    transport: Arc<dyn Transport>,
    limits: RequestLimits,
}

impl WebhookSink {
    /// Webhooks of this kind, sent by this transport to addresses that the policy allows.
    #[must_use]
    pub fn new(webhook: Webhook, transport: Arc<dyn Transport>, addresses: AddressPolicy) -> Self {
        let sender = Sender::new(transport, addresses);
        Self { webhook, sender }
    }
}

impl OtlpSink {
    /// Log records of this kind, sent by this transport to addresses that the policy allows.
    #[must_use]
    pub fn new(otlp: Otlp, transport: Arc<dyn Transport>, addresses: AddressPolicy) -> Self {
        let sender = Sender::new(transport, addresses);
        Self { otlp, sender }
    }
}

#[async_trait]
impl Sink for WebhookSink {
    fn max_entries(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    fn retries(&self) -> RetrySchedule {
        RetrySchedule::standard_webhooks()
    }

    async fn deliver(&self, entries: &[Entry<'_>], now: Timestamp) -> Result<(), DeliveryError> {
        for entry in entries {
            self.sender.send(self.webhook.request(entry, now)).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Sink for OtlpSink {
    fn max_entries(&self) -> NonZeroUsize {
        OTLP_ENTRIES
    }

    fn retries(&self) -> RetrySchedule {
        RetrySchedule::for_ever()
    }

    async fn deliver(&self, entries: &[Entry<'_>], _: Timestamp) -> Result<(), DeliveryError> {
        let request = self.otlp.request(entries.iter().map(Entry::leaf));
        self.sender.send(request).await
    }
}

impl Sender {
    fn new(transport: Arc<dyn Transport>, addresses: AddressPolicy) -> Self {
        Self {
            transport,
            limits: RequestLimits::new(addresses),
        }
    }

    async fn send(&self, request: Request<Bytes>) -> Result<(), DeliveryError> {
        let reply = timeout(
            self.limits.timeout,
            self.transport.request(request, &self.limits),
        );
        let reply = reply.await.map_err(|_| TransportError::TimedOut)??;
        match reply.status {
            status if status.is_success() => Ok(()),
            StatusCode::GONE => Err(DeliveryError::Gone),
            status => Err(DeliveryError::Refused {
                status,
                after: reply.retry_after,
            }),
        }
    }
}

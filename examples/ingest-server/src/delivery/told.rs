//! A sink whose failures are told.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use async_trait::async_trait;
use portcullis_audit_log::{
    event::Timestamp,
    export::Entry,
    sink::{DeliveryError, RetrySchedule, Sink},
};
use portcullis_telemetry::BackgroundTask;

pub(super) const TASK: BackgroundTask = BackgroundTask::new("audit_delivery");

/// Tells the first of failures that follow one another, and their end.
#[derive(Debug)]
pub(super) struct ToldSink {
    name: String,
    sink: Box<dyn Sink>,
    is_failing: AtomicBool,
}

impl ToldSink {
    pub(super) fn new(name: &str, sink: Box<dyn Sink>) -> Self {
        Self {
            name: name.to_owned(),
            sink,
            is_failing: AtomicBool::new(false),
        }
    }
}

/// One of those who give entries to the same sink.
#[derive(Debug)]
pub(super) struct SharedSink(pub(super) Arc<ToldSink>);

#[async_trait]
impl Sink for SharedSink {
    fn max_entries(&self) -> NonZeroUsize {
        self.0.sink.max_entries()
    }

    fn retries(&self) -> RetrySchedule {
        self.0.sink.retries()
    }

    async fn deliver(&self, entries: &[Entry<'_>], now: Timestamp) -> Result<(), DeliveryError> {
        let ToldSink {
            name,
            sink,
            is_failing,
        } = &*self.0;
        let delivered = sink.deliver(entries, now).await;
        let has_failed = delivered.is_err();
        if is_failing.swap(has_failed, Relaxed) != has_failed {
            let sink = &**name;
            TASK.within(|| match &delivered {
                Ok(()) => tracing::info!(sink, "entries of the audit log are delivered again"),
                Err(error) => tracing::warn!(
                    sink,
                    error = error as &dyn std::error::Error,
                    "entries of the audit log were not delivered, and are tried again"
                ),
            });
        }
        delivered
    }
}

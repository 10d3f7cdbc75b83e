//! A sink whose failures are told, and which is gone for all who give entries to it once it is for one.

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
    observer::{Event, Observer},
    sink::{DeliveryError, RetrySchedule, Sink},
};
use portcullis_telemetry::BackgroundTask;
use tokio::sync::watch;

use crate::audit::cursor_beyond;

pub(super) const TASK: BackgroundTask = BackgroundTask::new("audit_delivery");

/// Tells the first of failures that follow one another, and their end. A receiver that is gone is asked no more.
#[derive(Debug)]
pub(super) struct ToldSink {
    name: String,
    sink: Box<dyn Sink>,
    is_failing: AtomicBool,
    is_gone: watch::Sender<bool>,
}

impl ToldSink {
    pub(super) fn new(name: &str, sink: Box<dyn Sink>) -> Self {
        Self {
            name: name.to_owned(),
            sink,
            is_failing: AtomicBool::new(false),
            is_gone: watch::Sender::new(false),
        }
    }

    /// Whether its receiver wants no more, of whatever log.
    pub(super) fn is_gone(&self) -> bool {
        *self.is_gone.borrow()
    }

    /// Waits until it is gone.
    pub(super) async fn gone(&self) {
        // The sender is there as long as this is.
        let _ = self.is_gone.subscribe().wait_for(|is_gone| *is_gone).await;
    }
}

/// Tells of a cursor that cannot be one of the log.
#[derive(Debug)]
pub(super) struct ToldCursors;

impl Observer for ToldCursors {
    fn observe(&self, event: &Event<'_>) {
        if let Event::CursorBeyond { cursor, found } = event {
            TASK.within(|| cursor_beyond(cursor, *found));
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
            is_gone,
        } = &*self.0;
        if self.0.is_gone() {
            return Err(DeliveryError::Gone);
        }
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
        if matches!(delivered, Err(DeliveryError::Gone)) {
            is_gone.send_replace(true);
        }
        delivered
    }
}

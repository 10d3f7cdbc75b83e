//! Entries as they come, for who reads on and on. A reader is asked for nothing: what it does not read waits in the log.

use std::{
    convert::Infallible,
    fmt::{self, Write as _},
    pin::Pin,
    time::Duration,
};

use bytes::Bytes;
use futures_util::{FutureExt as _, Stream, StreamExt as _, stream};
use portcullis_audit_log::{event::Leaf, search::Filter, store::StoreError};
use tokio::{
    sync::watch,
    time::{Interval, MissedTickBehavior, Sleep, interval, sleep},
};

use super::{AuditError, AuditEvents, AuditRequest, DescribedEvent, InvalidRequest};
use crate::{
    admin::{Action, Actor},
    audit::AuditTail,
};

/// From one look for new entries to the next.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Nothing is said for no longer.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// From one look at the reader's rights to the next.
const RIGHTS_EVERY: Duration = Duration::from_secs(5);

/// Whether the reader may still read.
pub(crate) type Rights = Box<dyn Fn() -> bool + Send>;

/// Tells every reader that the service ends.
#[derive(Debug, Clone)]
pub(super) struct Stopping(watch::Sender<bool>);

/// One who reads.
struct Reader<K> {
    tail: AuditTail,
    filter: Filter,
    /// The entry to look at next.
    next: u64,
    rights: Rights,
    stopping: watch::Receiver<bool>,
    rights_ticks: Interval,
    look_ticks: Interval,
    heartbeat: Pin<Box<Sleep>>,
    /// What it takes of what there is of readers.
    _place: K,
}

impl Stopping {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    pub(super) fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl AuditEvents {
    /// Entries that match, from now on; or those behind the one that the reader had last; or from a time on. It ends
    /// when the service does, or the reader's rights do. `place` is held as long.
    pub(crate) async fn stream<K: Send + 'static>(
        &self,
        actor: &Actor,
        request: &AuditRequest,
        last: Option<u64>,
        rights: Rights,
        place: K,
    ) -> Result<impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static, AuditError> {
        let filter = request.query()?.filter().clone();
        let from = request.since()?;
        let tenant = request.tenant.as_deref();
        let beginning = async {
            let size = self.audit.reading().size().await?;
            match (last, from) {
                (Some(last), _) if last < size => Ok(last + 1),
                (Some(_), _) => Err(AuditError::Invalid(InvalidRequest {
                    parameter: "Last-Event-ID",
                    expected: "must be the id of an event that the log has",
                })),
                (None, Some(from)) => Ok(self.audit.reading().first_since(from).await?),
                (None, None) => Ok(size),
            }
        };
        let action = Action::ReadAudit { tenant };
        let next = self.recorded(actor, action, beginning).await?;
        let reader = Reader::new(
            &self.stopping,
            self.audit.tail(),
            filter,
            next,
            rights,
            place,
        );
        let opening = stream::iter([Ok(Bytes::from_static(b": audit log\n\n"))]);
        Ok(opening.chain(reader.stream()))
    }
}

impl<K: Send + 'static> Reader<K> {
    fn new(
        stopping: &Stopping,
        tail: AuditTail,
        filter: Filter,
        next: u64,
        rights: Rights,
        place: K,
    ) -> Self {
        let ticks = |every| {
            let mut ticks = interval(every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            // The first is at once.
            let _ = ticks.tick().now_or_never();
            ticks
        };
        Self {
            tail,
            filter,
            next,
            rights,
            stopping: stopping.0.subscribe(),
            rights_ticks: ticks(RIGHTS_EVERY),
            look_ticks: ticks(LOOK_EVERY),
            heartbeat: Box::pin(sleep(HEARTBEAT)),
            _place: place,
        }
    }

    fn stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
        stream::unfold(self, |mut reader| async move {
            let said = reader.says().await?;
            reader.heartbeat = Box::pin(sleep(HEARTBEAT));
            Some((Ok(said), reader))
        })
    }

    /// What is sent next; nothing at the end.
    async fn says(&mut self) -> Option<Bytes> {
        loop {
            if *self.stopping.borrow() {
                return None;
            }
            if self.rights_ticks.tick().now_or_never().is_some() && !(self.rights)() {
                return None;
            }
            match self.read().await {
                Ok(Some(said)) if said.is_empty() => tokio::task::yield_now().await,
                Ok(Some(said)) => return Some(said.into()),
                Ok(None) => {
                    tokio::select! {
                        _ = self.stopping.wait_for(|stop| *stop) => return None,
                        () = &mut self.heartbeat => return Some(Bytes::from_static(b":\n\n")),
                        _ = self.rights_ticks.tick() => {
                            if !(self.rights)() {
                                return None;
                            }
                        }
                        _ = self.look_ticks.tick() => {}
                    }
                }
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "a stream of the audit log ended");
                    return None;
                }
            }
        }
    }

    /// Some entries that match, as they are sent; nothing if there are no new ones.
    async fn read(&mut self) -> Result<Option<String>, StoreError> {
        if self.next >= self.tail.size().await? {
            return Ok(None);
        }
        let mut said = String::new();
        let batch = match self.tail.entries(self.next).await {
            Err(StoreError::Pruned { first, .. }) => {
                // A reader is told that it has missed some.
                let from = self.next;
                self.next = first;
                let gap = format!("event: gap\ndata: {{\"from\":{from},\"to\":{first}}}\n\n");
                return Ok(Some(gap));
            }
            batch => batch?,
        };
        for (n, bytes) in batch.iter() {
            let leaf = Leaf::parse(bytes).map_err(StoreError::damaged)?;
            if self.filter.matches(&leaf) {
                let event = serde_json::to_string(&DescribedEvent::new(&leaf));
                let event = event.map_err(StoreError::damaged)?;
                // Writing to a text does not fail.
                let _ = write!(said, "id: {n}\ndata: {event}\n\n");
            }
            self.next = n + 1;
        }
        Ok(Some(said))
    }
}

impl<K> fmt::Debug for Reader<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

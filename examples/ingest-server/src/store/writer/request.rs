//! What waits to be written, and who is told what became of it.

use portcullis_telemetry::SpanLink;
use tokio::sync::oneshot;

use crate::store::{Committed, Group, Receipt, StoreError, Write};

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// Events and leads of one request.
#[derive(Debug)]
pub(super) struct WriteRequest {
    pub(super) writes: Vec<Write>,
    pub(super) reply: Reply<Vec<Receipt>>,
    /// The request's span, for the group's to link to.
    pub(super) origin: Option<SpanLink>,
}

/// Who waits for a group.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// How many of the group's rows each has.
    writes: Vec<(usize, Reply<Vec<Receipt>>)>,
    pub(super) origins: Vec<SpanLink>,
}

impl Waiting {
    /// Takes a request into the group.
    pub(super) fn add(&mut self, group: &mut Group, request: WriteRequest) {
        self.writes.push((request.writes.len(), request.reply));
        self.origins.extend(request.origin);
        if group.writes.is_empty() {
            group.writes = request.writes;
        } else {
            group.writes.extend(request.writes);
        }
    }

    /// Tells everybody what became of a group that is durable.
    pub(super) fn acknowledge(self, committed: Committed) {
        let mut receipts = committed.receipts.into_iter();
        for (rows, reply) in self.writes {
            // A requester that went away does not need its receipts.
            let receipts: Vec<Receipt> = receipts.by_ref().take(rows).collect();
            // Those of one request were decided together.
            let is_late = receipts.contains(&Receipt::Late);
            drop(reply.send(if is_late {
                Err(StoreError::Late)
            } else {
                Ok(receipts)
            }));
        }
    }

    /// Tells everybody that nothing was written.
    pub(super) fn refuse(self, error: &StoreError) {
        for (_, reply) in self.writes {
            drop(reply.send(Err(error.echo())));
        }
    }
}

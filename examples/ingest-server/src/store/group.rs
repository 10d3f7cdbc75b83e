//! What is written in one transaction, and the way into a database for it.

use std::fmt::Debug;

use async_trait::async_trait;
use futures_util::future::BoxFuture;

use super::{DecidedAt, Receipt, StoreError, Write};
use crate::clock::Clock;

/// What is written in one transaction.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) writes: Vec<Write>,
}

impl Group {
    /// When what has waited longest was decided, of the writes that this became of.
    pub(crate) fn earliest(&self, receipts: &[Receipt]) -> Option<DecidedAt> {
        let written = self.writes.iter().zip(receipts);
        let written = written.filter(|(_, receipt)| **receipt == Receipt::Stored);
        written.filter_map(|(write, _)| write.decided_at).min()
    }
}

/// What became of a group that is durable.
#[derive(Debug)]
pub(crate) struct Committed {
    /// One for each write, in order.
    pub(crate) receipts: Vec<Receipt>,
}

/// Where groups are written, one after another.
///
/// # Contract
/// - [`commit`](GroupSink::commit) is atomic and durable: when it returns `Ok`, every write whose
///   receipt is [`Receipt::Stored`] survives a crash; when it returns `Err`, nothing of the group is there.
/// - Writes of one group take effect in their order.
/// - An event's (tenant, source, id) and a lead's e-mail fingerprint within its tenant are unique.
/// - A write that was decided too long ago, by the clock, is [`Receipt::Late`] and takes no other with it; the
///   clock is looked at once the writing can begin, and again, for the whole group, before it is committed:
///   [`StoreError::Late`].
/// - From when a tenant is noted as erased, nothing that was decided is written of it.
/// - After a failure the next group is not concerned with what was left of this one.
#[async_trait]
pub(crate) trait GroupSink: Debug + Send {
    /// Writes a group and says what became of it.
    async fn commit(&mut self, group: &Group, clock: &dyn Clock) -> Result<Committed, StoreError>;

    /// Whether it can be written: makes durable as much as an ordinary group has, and leaves none
    /// of it.
    async fn try_writing(&mut self) -> Result<(), StoreError>;
}

/// What writes groups until nobody can queue any more. The store decides where it runs: it is given
/// a sink there.
pub(crate) type WriteGroups = Box<dyn FnOnce(Box<dyn GroupSink>) -> BoxFuture<'static, ()> + Send>;

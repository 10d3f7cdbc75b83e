//! The log is taken as all processes have left it.

use std::collections::BTreeSet;

use super::Writer;
use crate::{
    audit::{
        doubt::{Doubt, Doubted},
        queued::Queued,
    },
    event::{Event, Id},
    observer::DropReason,
    store::{Appending, StoreError},
};

/// What was in the log is not there any more: an older copy was put in its place while it was open.
#[derive(Debug, thiserror::Error)]
#[error("the log has {has} entries, and had {had} before")]
struct Shrunk {
    has: u64,
    had: u64,
}

impl Writer {
    /// Takes the log as all processes have left it, and settles what became of the group that failed last.
    pub(super) async fn lock(
        &mut self,
        queued: &[Queued],
    ) -> Result<Box<dyn Appending>, StoreError> {
        let tenants = self.tenants(queued);
        let mut taken = self.store.lock(&tenants).await?;
        if let Some(doubt) = self.doubt.take() {
            match doubt.settle(&taken.state()) {
                Ok(doubted) => self.settle(doubted),
                Err(doubt) => {
                    // Given back meanwhile: a store may have one connection.
                    drop(taken);
                    // Who stops to wait for the answer has it still.
                    let doubt = self.doubt.insert(doubt);
                    let is_written = doubt.is_written(&*self.store).await?;
                    if let Some(doubt) = self.doubt.take() {
                        self.settle(doubt.decided(is_written));
                    }
                    taken = self.store.lock(&tenants).await?;
                }
            }
        }
        let (has, had) = (
            taken.state().edge().size(),
            self.shared.tree.borrow().size(),
        );
        if has < had {
            return Err(StoreError::damaged(Shrunk { has, had }));
        }
        self.shared.has_grown(taken.state().edge());
        Ok(taken)
    }

    fn tenants(&self, queued: &[Queued]) -> Vec<Id> {
        let doubted = self.doubt.iter().flat_map(Doubt::events);
        let queued = queued.iter().chain(doubted).map(|queued| &queued.event);
        let tenants: BTreeSet<_> = self.own.iter().chain(queued).map(Event::tenant).collect();
        tenants.into_iter().cloned().collect()
    }

    /// What nobody was told of goes on from there.
    fn settle(&mut self, doubted: Doubted) {
        match doubted {
            Doubted::Written(events) => {
                for queued in events {
                    self.has_written(&queued.event);
                }
            }
            Doubted::NotWritten(events) => {
                let (own, notes): (Vec<_>, Vec<_>) =
                    events.into_iter().partition(Queued::is_of_the_log);
                let own = own.into_iter().rev().map(|queued| queued.event);
                own.for_each(|event| self.own.push_front(event));
                self.shared.best.put_back(notes.into_iter());
            }
            Doubted::Unknown(events) => {
                for queued in events {
                    self.shared
                        .drop_event(queued.event.action(), DropReason::Store);
                }
            }
        }
    }
}

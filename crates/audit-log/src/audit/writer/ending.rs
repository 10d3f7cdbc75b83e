//! The log ends, and not all is written.

use super::Writer;
use crate::{
    audit::{Unrecorded, doubt::Doubt, queued::Queued},
    observer::{self, DropReason},
};

impl Writer {
    /// When nothing will be written any more: who waits is told, and what nobody waits for is counted.
    pub(super) fn give_up(mut self, queued: Vec<Queued>, why: &Unrecorded) {
        let doubted = self.doubt.take().map(Doubt::into_events);
        let doubted = doubted.unwrap_or_default();
        let mut events = self.own.len() + doubted.len();
        for queued in doubted.iter().filter(|queued| !queued.is_of_the_log()) {
            self.shared
                .drop_event(queued.event.action(), DropReason::Store);
        }
        events += self.refuse(queued, why);
        if events > 0 {
            self.shared.tell(observer::Event::LeftUnwritten { events });
        }
    }

    /// Gives how many there were.
    fn refuse(&self, mut queued: Vec<Queued>, why: &Unrecorded) -> usize {
        let mut refused = 0;
        while !queued.is_empty() {
            refused += queued.len();
            for queued in queued.drain(..) {
                if queued.is_kept() {
                    self.shared
                        .drop_event(queued.event.action(), DropReason::Closed);
                } else {
                    queued.answer(Err(why.clone()));
                }
            }
            queued = self.take();
        }
        refused
    }
}

//! What waits for the writer.

use tokio::sync::oneshot;

use super::{Recorded, Unrecorded, room::Ticket};
use crate::event::{Delivery, Event, EventId, Personal};

/// An event with all that belongs to it.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) event: Event,
    pub(super) personal: Option<Personal>,
    pub(super) waits: Waits,
    pub(super) ticket: Option<Ticket>,
}

/// Who waits for an event to be durable.
#[derive(Debug)]
pub(super) enum Waits {
    /// Nobody.
    Nobody,
    /// Somebody who shows something then: if they are gone, nothing was shown, and the event would be a lie.
    Reader(Reply),
    /// Somebody who begins a change then.
    Beginner(Reply),
    /// Somebody who has made a change that was begun with this event: it is written whether they wait or not.
    Finisher(EventId, Reply),
}

pub(super) type Reply = oneshot::Sender<Result<Recorded, Unrecorded>>;

impl Queued {
    /// What nobody waits for, and has no room yet.
    pub(super) const fn new(event: Event, personal: Option<Personal>) -> Self {
        Self {
            event,
            personal,
            waits: Waits::Nobody,
            ticket: None,
        }
    }

    /// What the log says of itself: it takes no room.
    pub(super) const fn own(event: Event) -> Self {
        Self::new(event, None)
    }

    /// How much room it takes.
    pub(super) fn bytes(&self) -> u32 {
        /// What stands beside the text: the draft, and what sealing adds.
        const OVERHEAD: usize = 512;
        let personal = self.personal.as_ref();
        let personal = personal.map_or(0, |personal| personal.as_bytes().len());
        u32::try_from(self.event.max_leaf_bytes() + personal + OVERHEAD).unwrap_or(u32::MAX)
    }

    /// Tells who waits for it. Gives whether somebody heard it.
    pub(super) fn answer(self, answer: Result<Recorded, Unrecorded>) -> bool {
        match self.waits {
            Waits::Nobody => true,
            Waits::Reader(reply) | Waits::Beginner(reply) | Waits::Finisher(_, reply) => {
                reply.send(answer).is_ok()
            }
        }
    }

    pub(super) const fn is_of_the_log(&self) -> bool {
        self.ticket.is_none()
    }

    /// Whether it is still to be written.
    pub(super) fn is_wanted(&self) -> bool {
        match &self.waits {
            Waits::Reader(reply) | Waits::Beginner(reply) => !reply.is_closed(),
            Waits::Nobody | Waits::Finisher(..) => true,
        }
    }

    /// Whether it is kept when the store fails: nobody is told that it is not in the log.
    pub(super) const fn is_kept(&self) -> bool {
        matches!(self.waits, Waits::Nobody)
    }

    pub(super) const fn is_note(&self) -> bool {
        matches!(self.event.delivery(), Delivery::Best)
    }
}

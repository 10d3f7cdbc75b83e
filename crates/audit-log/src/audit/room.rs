//! Where events wait for the writer: bounded, in events and in bytes.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A queue of at most so many items and bytes. What was taken counts until its [`Ticket`] is dropped.
#[derive(Debug)]
pub(super) struct Room<T> {
    slots: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    most: usize,
    queue: Mutex<VecDeque<T>>,
}

/// Room for one item, until it is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    _slot: OwnedSemaphorePermit,
    _bytes: OwnedSemaphorePermit,
}

impl<T> Room<T> {
    pub(super) fn new(slots: usize, bytes: usize) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(slots)),
            bytes: Arc::new(Semaphore::new(bytes)),
            most: slots,
            // Of its full length, so that nobody who puts something in waits for more memory.
            queue: Mutex::new(VecDeque::with_capacity(slots)),
        }
    }

    /// Room for an item, if there is some now.
    pub(super) fn try_enter(&self, bytes: u32) -> Option<Ticket> {
        Some(Ticket {
            _slot: Arc::clone(&self.slots).try_acquire_owned().ok()?,
            _bytes: Arc::clone(&self.bytes).try_acquire_many_owned(bytes).ok()?,
        })
    }

    /// Room for an item, when there is some; in the order of those who ask. `None` if the room is closed.
    pub(super) async fn enter(&self, bytes: u32) -> Option<Ticket> {
        Some(Ticket {
            _slot: Arc::clone(&self.slots).acquire_owned().await.ok()?,
            _bytes: Arc::clone(&self.bytes)
                .acquire_many_owned(bytes)
                .await
                .ok()?,
        })
    }

    /// Puts an item in that has a ticket.
    pub(super) fn push(&self, item: T) {
        self.queue().push_back(item);
    }

    /// Takes up to `most` items, the oldest first.
    pub(super) fn take(&self, most: usize, into: &mut Vec<T>) {
        let mut queue = self.queue();
        let count = most.min(queue.len());
        into.extend(queue.drain(..count));
    }

    /// Puts back what was taken, where it was, in its order.
    pub(super) fn put_back(&self, items: impl DoubleEndedIterator<Item = T>) {
        let mut queue = self.queue();
        items.rev().for_each(|item| queue.push_front(item));
    }

    /// Lets nobody in any more, and those who wait go.
    pub(super) fn close(&self) {
        self.slots.close();
        self.bytes.close();
    }

    /// How many items have a ticket.
    pub(super) fn used(&self) -> usize {
        self.most - self.slots.available_permits().min(self.most)
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, VecDeque<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of what is put in, nothing is copied to a larger place: neither when it is full, nor when what was taken comes back.
    #[test]
    fn a_room_has_the_memory_for_all_that_it_takes_from_the_beginning() {
        let room = Room::new(100, 1_000);
        let before = room.queue().capacity();
        let mut tickets = Vec::new();
        for item in 0..100 {
            tickets.push(room.try_enter(10).expect("there is room"));
            room.push(item);
        }
        assert!(room.try_enter(10).is_none());
        let mut taken = Vec::new();
        room.take(60, &mut taken);
        room.put_back(taken.into_iter());
        assert_eq!(room.queue().len(), 100);
        assert_eq!(room.queue().capacity(), before);
    }
}

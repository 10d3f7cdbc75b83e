//! What travels through the stages together, and what fell out on the way.

use super::authenticate::Caller;
use crate::{rejection::Rejection, store::QueueSlots};

/// The items of one request that are still under way, and those that were rejected alone.
#[derive(Debug)]
pub(crate) struct Batch<T> {
    pub(crate) caller: Caller,
    /// Room in the write queue, held until everything is answered.
    pub(crate) slots: QueueSlots,
    pub(crate) items: Vec<Item<T>>,
    pub(crate) rejected: Vec<Rejected>,
}

/// One item with its place in the request.
#[derive(Debug)]
pub(crate) struct Item<T> {
    pub(crate) index: usize,
    /// The event's id, as far as it is known, so that its sender recognises it.
    pub(crate) id: Option<String>,
    pub(crate) value: T,
}

/// An item that was rejected.
#[derive(Debug)]
pub(crate) struct Rejected {
    pub(crate) index: usize,
    pub(crate) id: Option<String>,
    pub(crate) rejection: Rejection,
}

impl<T> Batch<T> {
    /// Takes every item one stage further; those that it rejects are set aside.
    pub(crate) fn try_map<U>(
        self,
        mut stage: impl FnMut(&Caller, T) -> Result<U, Rejection>,
    ) -> Batch<U> {
        let Self {
            caller,
            slots,
            items,
            mut rejected,
        } = self;
        let mut passed = Vec::with_capacity(items.len());
        for Item { index, id, value } in items {
            match stage(&caller, value) {
                Ok(value) => passed.push(Item { index, id, value }),
                Err(rejection) => rejected.push(Rejected {
                    index,
                    id,
                    rejection,
                }),
            }
        }
        Batch {
            caller,
            slots,
            items: passed,
            rejected,
        }
    }
}

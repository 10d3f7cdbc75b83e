//! What travels through the stages together, and what fell out on the way.

use bytes::Bytes;

use super::{authenticate::Caller, charge_content::Admission, rejection::Rejection};

/// The items of one request that are still under way, and those that were rejected alone.
#[derive(Debug)]
pub(crate) struct Batch<T> {
    pub(crate) caller: Caller,
    pub(crate) admission: Admission,
    pub(crate) items: Vec<Item<T>>,
    pub(crate) rejected: Vec<Rejected>,
}

/// One item and where it came from.
#[derive(Debug)]
pub(crate) struct Item<T> {
    pub(crate) origin: Origin,
    pub(crate) value: T,
}

/// An item that was rejected.
#[derive(Debug)]
pub(crate) struct Rejected {
    pub(crate) origin: Origin,
    pub(crate) rejection: Rejection,
}

/// What is known of an item from the start, whatever becomes of it.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// Its place in the request.
    pub(crate) index: usize,
    /// The event's id, as far as it can be read, so that its sender recognises it.
    pub(crate) id: Option<String>,
    /// The schema it is said to follow.
    pub(crate) schema: Option<SchemaName>,
    /// Its text, as sent.
    pub(crate) text: Bytes,
}

/// The name of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SchemaName {
    pub(crate) event_type: String,
    pub(crate) version: u32,
}

/// A batch without its items.
#[derive(Debug)]
pub(crate) struct BatchHead {
    pub(crate) caller: Caller,
    pub(crate) admission: Admission,
    pub(crate) rejected: Vec<Rejected>,
}

impl<T> Batch<T> {
    /// For a stage that takes all items together; [`BatchHead::with_items`] makes a batch again.
    pub(crate) fn split(self) -> (BatchHead, Vec<Item<T>>) {
        let Self {
            caller,
            admission,
            items,
            rejected,
        } = self;
        let head = BatchHead {
            caller,
            admission,
            rejected,
        };
        (head, items)
    }

    /// Takes every item one stage further.
    pub(crate) fn map<U>(self, mut stage: impl FnMut(T) -> U) -> Batch<U> {
        let (head, items) = self.split();
        let map = |Item { origin, value }| Item {
            origin,
            value: stage(value),
        };
        head.with_items(items.into_iter().map(map).collect())
    }

    /// Takes every item one stage further; those that it rejects are set aside.
    pub(crate) fn try_map<U>(
        self,
        mut stage: impl FnMut(&Caller, T) -> Result<U, Rejection>,
    ) -> Batch<U> {
        let (mut head, items) = self.split();
        let mut passed = Vec::with_capacity(items.len());
        for Item { origin, value } in items {
            match stage(&head.caller, value) {
                Ok(value) => passed.push(Item { origin, value }),
                Err(rejection) => head.rejected.push(Rejected { origin, rejection }),
            }
        }
        head.with_items(passed)
    }
}

impl BatchHead {
    /// The batch with the items that a stage has made.
    pub(crate) fn with_items<T>(self, items: Vec<Item<T>>) -> Batch<T> {
        let Self {
            caller,
            admission,
            rejected,
        } = self;
        Batch {
            caller,
            admission,
            items,
            rejected,
        }
    }
}

//! What travels through the stages together, and what fell out on the way.

use bytes::Bytes;

use super::{admit::Admission, authenticate::Caller};
use crate::pipeline::rejection::Rejection;

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

impl<T> Batch<T> {
    /// Takes every item one stage further; those that it rejects are set aside.
    pub(crate) fn try_map<U>(
        self,
        mut stage: impl FnMut(&Caller, T) -> Result<U, Rejection>,
    ) -> Batch<U> {
        let Self {
            caller,
            admission,
            items,
            mut rejected,
        } = self;
        let mut passed = Vec::with_capacity(items.len());
        for Item { origin, value } in items {
            match stage(&caller, value) {
                Ok(value) => passed.push(Item { origin, value }),
                Err(rejection) => rejected.push(Rejected { origin, rejection }),
            }
        }
        Batch {
            caller,
            admission,
            items: passed,
            rejected,
        }
    }
}

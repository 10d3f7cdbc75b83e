//! How a log does.

use std::sync::atomic::Ordering::Relaxed;

use super::{Shared, shared::Phase};

/// How a log does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// How many leaves it has, as far as this process knows.
    pub size: u64,
    /// The size of the published tree; 0 before the first checkpoint.
    pub published: u64,
    /// How many events wait that must be durable, of at most 4,096.
    pub must_waiting: usize,
    /// How many notes wait, of at most 8,192.
    pub notes_waiting: usize,
    /// Whether the last group was not written, or somebody has waited in vain for the next: nothing that must be on
    /// record can be done.
    pub is_failing: bool,
    /// Whether it takes events: it is not closed, and no anchor knows another log.
    pub is_open: bool,
}

impl Status {
    pub(super) fn of(shared: &Shared) -> Self {
        let published = shared
            .published
            .borrow()
            .as_ref()
            .map_or(0, |last| last.size);
        Self {
            size: shared.tree.borrow().size(),
            published,
            must_waiting: shared.must.used(),
            notes_waiting: shared.best.used(),
            is_failing: shared.is_failing.load(Relaxed),
            is_open: shared.phase() == Phase::Open,
        }
    }
}

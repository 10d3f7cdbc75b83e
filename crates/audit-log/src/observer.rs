//! What a log tells the application about itself.

use std::{fmt::Debug, time::Duration};

use crate::{
    anchor::AnchorError,
    audit::{ClockAhead, RolledBack},
    event::{Action, Delivery, Id, Outcome},
    store::{CursorBeyond, StoreError},
};

/// Receives what happens, to count, measure and log it.
///
/// # Contract
/// Called inline, also by who records: it must neither block nor panic.
pub trait Observer: Debug + Send + Sync {
    /// Something happened.
    fn observe(&self, event: &Event<'_>);
}

/// Something that happened. None carries an id of an event, a tenant or a personal datum.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// An event is in the log.
    Written {
        /// What was promised of it.
        delivery: Delivery,
        /// What it says came of the act.
        outcome: Outcome,
    },
    /// An event of best effort is not in the log. It is counted, and `audit.dropped` will say so.
    Dropped {
        /// What it was about.
        action: Action,
        /// Why it was dropped.
        why: DropReason,
    },
    /// Personal parts are lost, since they could not be sealed. Their events are in the log.
    PartsLost {
        /// How many.
        parts: u64,
    },
    /// A group became durable.
    Committed {
        /// How many events it had.
        events: usize,
        /// From taking the log until it was durable.
        took: Duration,
    },
    /// Somebody who recorded was answered.
    Answered {
        /// How long it took.
        took: Duration,
        /// Whether the event is in the log. If not, nothing may be done or shown.
        recorded: bool,
    },
    /// The store failed. It is tried again.
    StoreFailed {
        /// What it says.
        error: &'a StoreError,
    },
    /// The log has ended, and these were not written, or nobody knows whether they were: the store did not take them in
    /// time. Each of best effort among them is also told as dropped.
    LeftUnwritten {
        /// How many, with what the log had to say of itself.
        events: usize,
    },
    /// A checkpoint is published, by this process or another that shares the log.
    Published {
        /// The size of its tree.
        size: u64,
    },
    /// An anchor keeps a checkpoint.
    Anchored {
        /// What the anchor is called.
        anchor: &'a str,
        /// The size of its tree.
        size: u64,
    },
    /// An anchor did not keep a checkpoint, or could not be asked for its own. The next is tried a minute later.
    AnchorFailed {
        /// What the anchor is called.
        anchor: &'a str,
        /// What it says.
        error: &'a AnchorError,
    },
    /// The clock says more than the log vouches for, so that its retention does not go by it. It is told once a day.
    ClockAhead {
        /// What it says, and what was taken for now.
        found: ClockAhead,
    },
    /// A cursor is behind the end of the log. Who follows it goes on with the first leaf there is.
    CursorBeyond {
        /// Its name.
        cursor: &'a Id,
        /// Where it is.
        found: CursorBeyond,
    },
    /// An anchor knows what the log has not. Nothing is recorded from then on.
    RolledBack {
        /// What it knows.
        found: &'a RolledBack,
    },
}

/// Why an event of best effort is not in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// There was no room for it.
    Full,
    /// It is over a limit of events.
    Invalid,
    /// The store failed while it was written.
    Store,
    /// The log was closed.
    Closed,
}

impl DropReason {
    /// As a label.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Invalid => "invalid",
            Self::Store => "store",
            Self::Closed => "closed",
        }
    }
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct NoObserver;

impl Observer for NoObserver {
    fn observe(&self, _: &Event<'_>) {}
}

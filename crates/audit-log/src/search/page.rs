//! Some events of a search.

use std::time::Duration;

use super::{Filter, SearchCursor};

/// A search, and where its page begins.
#[derive(Debug, Clone, Default)]
pub struct Query {
    filter: Filter,
    size: PageSize,
    before: Option<u64>,
}

/// The most events of a page: 1 to 500.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u16);

/// Events, the newest first.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Page {
    /// What was found.
    pub events: Vec<Found>,
    /// Where the next page begins; without one, there is nothing more.
    pub next: Option<SearchCursor>,
    /// Whether the page is as full as it can be. If not, it has read as much as one may, and there may be more.
    pub is_complete: bool,
}

/// An event that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// Its index in the tree.
    pub n: u64,
    /// The bytes of its leaf.
    pub leaf: Vec<u8>,
}

impl Query {
    /// The newest that the filter means.
    #[must_use]
    pub const fn new(filter: Filter, size: PageSize) -> Self {
        Self {
            filter,
            size,
            before: None,
        }
    }

    /// Goes on where a page ended.
    #[must_use]
    pub const fn after(mut self, cursor: SearchCursor) -> Self {
        self.before = Some(cursor.before());
        self
    }

    /// Which events are meant.
    #[must_use]
    pub const fn filter(&self) -> &Filter {
        &self.filter
    }

    /// How many are wanted.
    #[must_use]
    pub const fn size(&self) -> PageSize {
        self.size
    }

    /// The leaf before which it begins, in a log of that size.
    #[must_use]
    pub fn before(&self, log: u64) -> u64 {
        self.before.map_or(log, |before| before.min(log))
    }
}

impl PageSize {
    /// The most.
    pub const MAX: u16 = 500;

    /// A page of that many, if that is from 1 to 500.
    #[must_use]
    pub const fn new(events: u16) -> Option<Self> {
        if events == 0 || events > Self::MAX {
            return None;
        }
        Some(Self(events))
    }

    /// As a number.
    #[must_use]
    pub const fn events(self) -> usize {
        self.0 as usize
    }
}

impl Default for PageSize {
    /// 50 events.
    fn default() -> Self {
        Self(50)
    }
}

impl Page {
    /// The most bytes of leaves that are read for a page.
    pub const MAX_READ_BYTES: usize = 64 * 1024 * 1024;

    /// How long may be read for a page.
    pub const MAX_TIME: Duration = Duration::from_millis(250);

    /// A page.
    #[must_use]
    pub const fn new(events: Vec<Found>, next: Option<SearchCursor>, is_complete: bool) -> Self {
        Self {
            events,
            next,
            is_complete,
        }
    }
}

impl Found {
    /// An event that was found.
    #[must_use]
    pub const fn new(n: u64, leaf: Vec<u8>) -> Self {
        Self { n, leaf }
    }
}

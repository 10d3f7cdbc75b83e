//! Pages of a search.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::{
    FileStoreError,
    bloom::Probes,
    bundles::{self, WIDE},
    index_file::Rows,
    log::Log,
};
use crate::{
    event::Leaf,
    search::{Found, Page, Query, SearchCursor},
};

/// A page that is being put together, from the newest entry back.
#[derive(Debug)]
pub(super) struct Searching<'a> {
    log: &'a Log,
    query: &'a Query,
    terms: Vec<Probes>,
    until: Duration,
    events: Vec<Found>,
    read: usize,
    /// The page goes further than where it began.
    has_moved: bool,
}

/// Rows of the index that are read at once.
const ROWS: u64 = 64;

impl<'a> Searching<'a> {
    pub(super) fn new(log: &'a Log, query: &'a Query) -> Self {
        let terms = query.filter().terms().iter();
        Self {
            log,
            query,
            terms: terms
                .map(|term| Probes::of(term.kind(), term.value()))
                .collect(),
            until: log.clock.monotonic() + Page::MAX_TIME,
            events: Vec::new(),
            read: 0,
            has_moved: false,
        }
    }

    pub(super) fn page(mut self) -> Result<Page, FileStoreError> {
        let recent = self.log.recent().clone();
        let first = recent.first;
        // Everything from here on was looked at.
        let mut next = self.query.before(recent.size());
        for group in recent.groups().rev() {
            if group.first() >= next {
                continue;
            }
            if self.has_read_enough(group.entry_bytes()) {
                return Ok(self.goes_on(next, false));
            }
            if let Some(n) = self.look_through(group.entries(), first.max(group.first())..next) {
                return Ok(self.goes_on(n + 1, true));
            }
            next = group.first();
        }
        let mut rows = None;
        while next > first {
            let bundle = (next - 1) / WIDE;
            if !self.may_have(bundle, &mut rows)? {
                next = bundle * WIDE;
                self.has_moved = true;
                if self.has_read_enough(0) {
                    return Ok(self.goes_on(next, false));
                }
                continue;
            }
            let bytes = self.log.bundles.read(bundle)?;
            if self.has_read_enough(bytes.len()) {
                return Ok(self.goes_on(next, false));
            }
            let range = first.max(bundle * WIDE)..next;
            if let Some(n) = self.look_through(bundles::entries(bundle, &bytes), range) {
                return Ok(self.goes_on(n + 1, true));
            }
            next = bundle * WIDE;
        }
        Ok(Page::new(self.events, None, true))
    }

    /// What the index says of a bundle. Without a sound row it may have anything.
    fn may_have(&mut self, bundle: u64, rows: &mut Option<Rows>) -> Result<bool, FileStoreError> {
        let filter = self.query.filter();
        if !rows.as_ref().is_some_and(|rows| rows.is_of(bundle)) {
            let read = self
                .log
                .index
                .read(bundle.saturating_sub(ROWS - 1)..bundle + 1)?;
            self.read += read.len_bytes();
            *rows = Some(read);
        }
        let row = rows.as_ref().and_then(|rows| rows.row(bundle));
        if row.is_none() {
            self.log.lacks_rows.store(true, Ordering::Release);
        }
        Ok(row.is_none_or(|row| row.may_have(filter, &self.terms)))
    }

    /// Whether so many bytes more are too many, or time is up. A page looks at something in any case.
    fn has_read_enough(&mut self, more: usize) -> bool {
        let is_enough = self.has_moved
            && (self.read + more > Page::MAX_READ_BYTES
                || self.log.clock.monotonic() >= self.until);
        self.read += more;
        is_enough
    }

    /// Looks at entries from the last to the first. Gives one that was not looked at, since the page is full.
    fn look_through<'e>(
        &mut self,
        entries: impl Iterator<Item = (u64, &'e [u8])>,
        within: std::ops::Range<u64>,
    ) -> Option<u64> {
        self.has_moved = true;
        let entries: Vec<_> = entries.filter(|(n, _)| within.contains(n)).collect();
        for (n, entry) in entries.into_iter().rev() {
            if self.events.len() == self.query.size().events() {
                return Some(n);
            }
            if Leaf::parse(entry).is_ok_and(|leaf| self.query.filter().matches(&leaf)) {
                self.events.push(Found::new(n, entry.to_vec()));
            }
        }
        None
    }

    fn goes_on(self, before: u64, is_complete: bool) -> Page {
        let next = SearchCursor::new(before, self.query.filter());
        Page::new(self.events, Some(next), is_complete)
    }
}

/// A page of a log.
pub(super) fn search(log: &Arc<Log>, query: &Query) -> Result<Page, FileStoreError> {
    Searching::new(log, query).page()
}

//! How far a cache has applied the changes of its feed, and what follows from what it reads and hears.
//!
//! No input, no output and no clock: times are parameters, and what is to be done is returned. The caller
//! applies a change to the memory of the cache *before* it tells this of it, so that nothing counts as
//! applied that is not.

use std::{collections::BTreeSet, time::Duration};

use super::{
    outgoing::Outgoing,
    registration::{Registration, Term},
};
use crate::{
    bus::Watermark,
    feed::{Change, ChangeKind, FeedPage, FeedSeq, ReaderId},
    store::RecordVersion,
};

/// Changes read at once.
pub(super) const PAGE: u16 = 1_000;
/// Numbers remembered at most that were heard before the one that comes next. Of others the next reading
/// tells again.
const AHEAD: usize = 1_024;

/// Up to which change everything has been applied, and what is known to be missing.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    /// Every change up to this one has been applied; `None` before the first reading.
    applied: Option<FeedSeq>,
    /// Applied too, but something before them is missing.
    ahead: BTreeSet<FeedSeq>,
    /// There is a change of this number, and it has not been applied.
    missing: Option<FeedSeq>,
    /// Everything in memory was read after the changes up to this one.
    dropped: FeedSeq,
    /// The last change applied for which somebody may wait.
    awaited: FeedSeq,
    pub(super) registration: Registration,
    pub(super) outgoing: Outgoing,
}

/// A reading that has begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct FeedReading {
    /// After which change; `None` to read no more than the head.
    pub(super) after: Option<FeedSeq>,
    asked_at: Duration,
    term: Term,
    /// What was known to be missing then.
    missing: Option<FeedSeq>,
    /// The last change of which anything was known then.
    known: FeedSeq,
}

/// What a reading has brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) drops: Drops,
    /// How many changes are still to be read.
    pub(super) behind: u64,
    /// Every change committed before this moment has been applied: the memory may be used up to this time.
    pub(super) confirmed_until: Option<Duration>,
}

/// What must not be used any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drops {
    Nothing,
    /// What was loaded before the first reading may have changed since.
    Unread,
    /// Changes were dropped from the feed before they were read.
    Missing,
    /// The feed is not the one it was.
    Regressed,
}

/// What a notice means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nothing new.
    Known,
    /// One more change has been applied.
    Applied,
    /// There is a change that was not heard: the feed is to be read at once.
    Gap,
    /// Nothing is missing: the memory may be used up to this time.
    Confirmed(Duration),
}

impl Progress {
    /// Nothing was read yet. Changes are kept to be told only if there is somebody to tell them to.
    pub(super) fn new(outgoing: Outgoing) -> Self {
        Self {
            applied: None,
            ahead: BTreeSet::new(),
            missing: None,
            dropped: FeedSeq::START,
            awaited: FeedSeq::START,
            registration: Registration::default(),
            outgoing,
        }
    }

    /// Every change up to this one has been applied.
    pub(super) fn applied(&self) -> Option<FeedSeq> {
        self.applied
    }

    pub(super) fn begin_reading(&self, now: Duration) -> FeedReading {
        let known = self.ahead.last().copied().max(self.applied);
        FeedReading {
            after: self.applied,
            asked_at: now,
            term: self.registration.term(),
            missing: self.missing,
            known: known.unwrap_or_default(),
        }
    }

    /// The changes of this page have been applied.
    pub(super) fn read(&mut self, reading: &FeedReading, page: &FeedPage, now: Duration) -> Read {
        let drops = self.advance(reading, page);
        let applied = self.applied.unwrap_or_default();
        let behind = page.head.value().saturating_sub(applied.value());
        let mut confirmed_until = None;
        if behind == 0 {
            if self.missing <= reading.missing.max(self.applied) {
                self.missing = None;
            }
            // What was heard before the feed was asked stands in it, or belongs to another feed.
            if reading.known > page.head {
                let _ = self.ahead.split_off(&page.head.next());
            }
            self.outgoing
                .feed_was_read(page.head, reading.asked_at, now);
            confirmed_until = self.registration.confirms(reading.asked_at, reading.term);
        }
        Read {
            drops,
            behind,
            confirmed_until,
        }
    }

    fn advance(&mut self, reading: &FeedReading, page: &FeedPage) -> Drops {
        let Some(after) = reading.after else {
            self.count_up_to(page.head);
            return Drops::Unread;
        };
        if page.head < after {
            self.applied = Some(page.head);
            self.ahead.clear();
            self.missing = None;
            self.dropped = page.head;
            self.awaited = page.head;
            self.registration.forget();
            self.outgoing.forget();
            return Drops::Regressed;
        }
        let mut last = after;
        let mut is_gap = false;
        for change in &page.changes {
            is_gap |= change.seq != last.next();
            last = change.seq;
            if !self.has_applied(change.seq) {
                self.outgoing.keep(change);
            }
            self.note_awaited(change);
        }
        // A page that is not full ends with the head, or what follows was trimmed. One that leads
        // nowhere would be read again and again.
        let is_last = page.changes.len() < usize::from(PAGE) || last <= after;
        if is_last && last < page.head {
            is_gap = true;
            last = page.head;
        }
        self.count_up_to(last);
        if is_gap {
            self.dropped = self.dropped.max(last);
            Drops::Missing
        } else {
            Drops::Nothing
        }
    }

    /// The feed did not answer. Gives whether everything in memory is to be dropped, since a change is known
    /// to be missing.
    pub(super) fn reading_failed(&mut self) -> bool {
        match self.missing {
            Some(missing) if missing > self.dropped => {
                self.dropped = missing;
                true
            }
            _ => false,
        }
    }

    /// This change has been applied; it was heard, or made by this process.
    pub(super) fn heard(&mut self, change: &Change) -> Heard {
        self.note_awaited(change);
        let Some(applied) = self.applied else {
            return Heard::Known;
        };
        if self.has_applied(change.seq) {
            return Heard::Known;
        }
        if change.seq == applied.next() {
            self.count_up_to(change.seq);
            return Heard::Applied;
        }
        if self.ahead.len() < AHEAD {
            self.ahead.insert(change.seq);
        }
        let before = change.seq.value() - 1;
        self.found_missing(FeedSeq::new(before))
    }

    /// Somebody has told how far the feed went. `told_after` is a moment before it was told.
    pub(super) fn heard_watermark(
        &mut self,
        watermark: Watermark,
        told_after: Duration,
        now: Duration,
    ) -> Heard {
        self.outgoing.heard_watermark(now);
        let Some(applied) = self.applied else {
            return Heard::Known;
        };
        if watermark.head > applied {
            return self.found_missing(watermark.head);
        }
        let asked_after = told_after.checked_sub(watermark.age);
        asked_after
            .and_then(|moment| self.registration.confirms_others(moment))
            .map_or(Heard::Known, Heard::Confirmed)
    }

    /// Whether somebody may wait for what has been applied since this reader was last noted.
    pub(super) fn is_awaited(&self) -> bool {
        let noted = self.registration.noted();
        self.applied > noted && Some(self.awaited) > noted
    }

    /// Whom to note, and what to say that it has applied: both of the same feed.
    pub(super) fn begin_note(
        &mut self,
        make: impl FnOnce() -> Option<ReaderId>,
    ) -> Option<(ReaderId, FeedSeq)> {
        let applied = self.applied?;
        let reader = self.registration.begin_note(make)?;
        Some((reader, applied))
    }

    fn found_missing(&mut self, seq: FeedSeq) -> Heard {
        if self.missing >= Some(seq) {
            return Heard::Known;
        }
        self.missing = Some(seq);
        Heard::Gap
    }

    pub(super) fn has_applied(&self, seq: FeedSeq) -> bool {
        Some(seq) <= self.applied || self.ahead.contains(&seq)
    }

    fn note_awaited(&mut self, change: &Change) {
        let is_new = matches!(
            change.kind,
            ChangeKind::Record { version, .. } if version == RecordVersion::FIRST
        );
        if !is_new {
            self.awaited = self.awaited.max(change.seq);
        }
    }

    /// Everything up to `seq` has been applied, and what follows it without a gap.
    fn count_up_to(&mut self, seq: FeedSeq) {
        let mut applied = self.applied.unwrap_or_default().max(seq);
        while let Some(next) = self.ahead.first().copied() {
            if next > applied.next() {
                break;
            }
            self.ahead.pop_first();
            applied = applied.max(next);
        }
        self.applied = Some(applied);
        if self.missing <= self.applied {
            self.missing = None;
        }
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

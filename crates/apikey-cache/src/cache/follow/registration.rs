//! Since when those who revoke know of this reader.
//!
//! A *reader* is a cache that follows a feed, as the feed knows it. Its *note* is the row that says so, and how
//! far it is. It is *registered* from one note on for as long as each follows the one before in time. Its *lease*
//! is for how long it may use its memory after a proof that nothing is missing in it, and only while it is
//! registered.

use std::time::Duration;

use crate::{
    cache::CONFIRMED_FOR,
    feed::{FeedSeq, ReaderId},
};

/// How long a note in the store allows a cache to use its memory. Those who revoke ignore notes only when
/// they are twice as old, so that clocks may differ by the difference.
pub(super) const TRUSTED_FOR: Duration = Duration::from_secs(60);
/// Notes that are older are those of readers that have ended without saying so.
pub(in crate::cache) const IGNORED_AFTER: Duration = Duration::from_secs(120);
/// From one note to the next, if there is no other reason for one.
const NOTE_EVERY: Duration = Duration::from_secs(20);

/// That this reader stands in the store, where those who revoke look for whom to wait for.
#[derive(Clone, Debug, Default)]
pub(super) struct Registration {
    /// Made when it is first needed, and again for a feed that went back.
    reader: Option<ReaderId>,
    /// Who this cache was in the feed before it went back.
    former: Option<ReaderId>,
    note: Option<Note>,
    /// The last one that has begun.
    term: Term,
    has_left: bool,
}

/// Counts the times for which this cache has been registered without a break.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Term(u64);

#[derive(Clone, Copy, Debug)]
struct Note {
    /// When the term began, at the latest.
    since: Duration,
    /// When it was last written, at the earliest.
    at: Duration,
    /// What it says has been applied.
    applied: FeedSeq,
}

impl Registration {
    /// Who this cache is in the feed, if it was ever to be noted there.
    pub(super) fn reader(&self) -> Option<ReaderId> {
        self.reader
    }

    /// Whom to note; `None` if nobody, or none could be made.
    pub(super) fn begin_note(
        &mut self,
        make: impl FnOnce() -> Option<ReaderId>,
    ) -> Option<ReaderId> {
        if self.has_left {
            return None;
        }
        if self.reader.is_none() {
            self.reader = make();
        }
        self.reader
    }

    /// The note of this reader was written, between these two moments. One of before the feed went back says
    /// nothing about the feed as it is.
    pub(super) fn was_noted(
        &mut self,
        reader: ReaderId,
        began: Duration,
        ended: Duration,
        applied: FeedSeq,
    ) {
        if self.reader != Some(reader) {
            return;
        }
        let earlier = self.note.filter(|note| ended <= note.at + TRUSTED_FOR);
        if earlier.is_none() {
            self.term = Term(self.term.0 + 1);
        }
        self.note = Some(Note {
            since: earlier.map_or(ended, |note| note.since),
            // Two may have been under way.
            at: earlier.map_or(began, |note| began.max(note.at)),
            applied: earlier.map_or(applied, |note| applied.max(note.applied)),
        });
    }

    /// How long memory may be used if every change that was committed before `asked_at`, a moment in this
    /// term, has been applied; `None` if it may not.
    ///
    /// Who revoked before the term began does not wait for this reader, so that what was asked before proves
    /// nothing.
    pub(super) fn confirms(&self, asked_at: Duration, term: Term) -> Option<Duration> {
        let note = self.note()?;
        (term == self.term).then(|| (asked_at + CONFIRMED_FOR).min(note.at + TRUSTED_FOR))
    }

    /// The same if somebody else has asked.
    pub(super) fn confirms_others(&self, asked_after: Duration) -> Option<Duration> {
        let note = self.note()?;
        // Times alone do not tell what was first of two things at the same time.
        let is_in_term = asked_after > note.since;
        self.confirms(asked_after, self.term).filter(|_| is_in_term)
    }

    /// The last term that has begun.
    pub(super) fn term(&self) -> Term {
        self.term
    }

    fn note(&self) -> Option<Note> {
        self.note.filter(|_| !self.has_left)
    }

    /// Whether no proof counts before this reader is noted again.
    pub(super) fn is_over(&self, now: Duration) -> bool {
        !self.has_left && self.note.is_none_or(|note| now >= note.at + TRUSTED_FOR)
    }

    /// Whether the note is to be renewed, though nobody may wait for it.
    pub(super) fn is_old(&self, now: Duration) -> bool {
        self.note().is_some_and(|note| now >= note.at + NOTE_EVERY)
    }

    /// What the note says has been applied.
    pub(super) fn noted(&self) -> Option<FeedSeq> {
        self.note.map(|note| note.applied)
    }

    /// The store is not the one in which it was noted. It needs a note of another reader: what one has applied
    /// never goes back, and its numbers are given out again.
    pub(super) fn forget(&mut self) {
        self.note = None;
        self.former = self.reader.take().or(self.former);
    }

    /// A reader that nobody has to wait for any more.
    pub(super) fn take_former(&mut self) -> Option<ReaderId> {
        self.former.take()
    }

    /// No note is written and no proof counts any more.
    pub(super) fn leave(&mut self) {
        self.has_left = true;
        self.note = None;
    }
}

//! A cache that goes by the rules, or by what is left of them.

use std::{collections::BTreeSet, time::Duration};

use super::world::revocation;
use crate::{
    bus::Notice,
    cache::follow::{
        outgoing::TOLD_WITHIN,
        progress::{FeedReading, Heard, Progress},
    },
    feed::{FeedPage, FeedSeq, ReaderId},
};

/// What is checked: the rules, or what is left of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rules {
    All,
    /// A watermark confirms though not everything up to it has been applied.
    BehindConfirms,
    /// What was heard counts as told after the call that gave it began.
    SameCall,
    /// A watermark counts as new when it was told.
    AgeIgnored,
    /// That telling takes time is forgotten.
    TransitIgnored,
    /// An answer without notices confirms.
    SilenceConfirms,
    /// A note says that everything has been applied that the feed has.
    NotesAhead,
    /// The memory is trusted though no note was written.
    Unregistered,
    /// What is asked while a note is written counts.
    NotedEarly,
    /// After a lapse, what was asked before the next note counts.
    LapseIgnored,
    /// A note is trusted for ever.
    NoteNeverEnds,
    /// A number that is not the next counts as the next.
    GapCounts,
    /// A reading that fails after a gap drops nothing.
    GapForgotten,
    /// What is told is chosen before it can be told.
    TakenEarly,
    /// In a feed that went back a cache is the reader that it was.
    SameReader,
    /// A note that was under way when the feed went back counts.
    EarlierNoteCounts,
}

/// One cache, and what it has under way.
pub(super) struct Node {
    pub(super) rules: Rules,
    pub(super) progress: Progress,
    pub(super) confirmed_until: Duration,
    /// Changes whose keys are not accepted from memory any more.
    pub(super) in_effect: BTreeSet<FeedSeq>,
    pub(super) reading: Option<(FeedReading, Option<FeedPage>)>,
    pub(super) note: Option<Noting>,
    pub(super) noted_at: Option<Duration>,
    /// What is to be told as soon as the bus can be called.
    pub(super) taken: Option<Vec<Notice>>,
    pub(super) telling: Option<(Duration, Vec<Notice>)>,
    pub(super) told_after: Duration,
    pub(super) hearing_since: Option<Duration>,
    /// The last change of which it was heard before a reading that has ended.
    pub(super) warned_of: FeedSeq,
    pub(super) heard_of: FeedSeq,
    /// Which history of the feed it goes by: it is not known at once that the feed went back.
    pub(super) history: u64,
    pub(super) readers: u8,
}

/// A note that is under way.
#[derive(Clone, Copy)]
pub(super) struct Noting {
    pub(super) began: Duration,
    pub(super) reader: ReaderId,
    pub(super) applied: FeedSeq,
    pub(super) is_written: bool,
}

impl Node {
    pub(super) fn confirm(&mut self, until: Duration) {
        self.confirmed_until = self.confirmed_until.max(until);
    }

    pub(super) fn begin_note(&mut self, now: Duration) {
        let readers = &mut self.readers;
        let begun = self.progress.begin_note(|| {
            *readers += 1;
            Some(ReaderId::new([*readers; 16]))
        });
        self.note = begun.map(|(reader, applied)| Noting {
            began: now,
            reader,
            applied,
            is_written: false,
        });
    }

    pub(super) fn apply(&mut self, notice: &Notice, called_at: Duration, now: Duration) -> Heard {
        match notice {
            Notice::Change(change) => {
                self.in_effect.insert(change.seq);
                self.heard_of = self.heard_of.max(change.seq);
                if self.rules == Rules::GapCounts
                    && let Some(applied) = self.progress.applied()
                {
                    for seq in applied.value() + 1..change.seq.value() {
                        self.progress.heard(&revocation(FeedSeq::new(seq)));
                    }
                }
                self.progress.heard(change)
            }
            Notice::Watermark(watermark) => {
                self.heard_of = self.heard_of.max(watermark.head);
                let mut watermark = *watermark;
                let mut told_after = self.told_after;
                match self.rules {
                    Rules::BehindConfirms => {
                        let applied = self.progress.applied();
                        watermark.head = applied.unwrap_or_default().min(watermark.head);
                    }
                    Rules::SameCall => told_after = called_at,
                    Rules::AgeIgnored => watermark.age = TOLD_WITHIN,
                    Rules::TransitIgnored => watermark.age -= TOLD_WITHIN,
                    _ => {}
                }
                self.progress.heard_watermark(watermark, told_after, now)
            }
        }
    }
}

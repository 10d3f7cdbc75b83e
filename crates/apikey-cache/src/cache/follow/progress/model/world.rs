//! Two caches, a store and a bus, and what happens to them.

mod claims;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    Seen,
    node::{Node, Noting, Rules},
    step::Step,
};
use crate::{
    bus::{Notice, Watermark},
    cache::{
        CONFIRMED_FOR,
        follow::{
            outgoing::{Outgoing, TOLD_WITHIN},
            progress::{Drops, Heard, Progress},
            registration::{IGNORED_AFTER, TRUSTED_FOR},
        },
    },
    feed::{Change, ChangeKind, FeedPage, FeedSeq, ReaderId},
    store::RecordVersion,
};

const NODES: usize = 2;

pub(super) struct World {
    now: Duration,
    /// When each change was committed; the first has number 1.
    commits: Vec<Duration>,
    /// What stands in the store of each node: what it has applied, and when it said so, by its clock.
    readers: BTreeMap<(usize, ReaderId), (FeedSeq, Duration)>,
    /// How often the store went back.
    history: u64,
    /// What was told, and when.
    stream: Vec<(Duration, Notice)>,
    /// Changes of which it was found that they are in effect everywhere.
    effective: BTreeSet<FeedSeq>,
    nodes: Vec<Node>,
    pub(super) seen: Seen,
}

impl World {
    pub(super) fn new(rules: Rules) -> Self {
        let start = Duration::from_secs(1_000);
        let node = || Node {
            rules,
            progress: Progress::new(Outgoing::new(true)),
            confirmed_until: Duration::ZERO,
            in_effect: BTreeSet::new(),
            reading: None,
            note: None,
            noted_at: None,
            taken: None,
            telling: None,
            told_after: start,
            hearing_since: None,
            warned_of: FeedSeq::START,
            heard_of: FeedSeq::START,
            history: 0,
            readers: 0,
        };
        Self {
            now: start,
            commits: Vec::new(),
            readers: BTreeMap::new(),
            history: 0,
            stream: Vec::new(),
            effective: BTreeSet::new(),
            nodes: (0..NODES).map(|_| node()).collect(),
            seen: Seen::default(),
        }
    }

    fn head(&self) -> FeedSeq {
        FeedSeq::new(self.commits.len() as u64)
    }

    pub(super) fn step(&mut self, step: Step) {
        match step {
            Step::Pass(time) => self.now += time,
            Step::Revoke { told } => {
                self.commits.push(self.now);
                if told {
                    let change = Notice::Change(revocation(self.head()));
                    self.stream.push((self.now, change));
                }
            }
            Step::Look => self.look(),
            Step::BeginReading(at) => {
                let reading = self.nodes[at].progress.begin_reading(self.now);
                self.nodes[at].reading = Some((reading, None));
            }
            Step::ServeReading(at) => self.serve_reading(at),
            Step::EndReading(at) => self.end_reading(at),
            Step::FailReading(at) => self.fail_reading(at),
            Step::Read(at) => {
                self.step(Step::BeginReading(at));
                self.step(Step::ServeReading(at));
                self.step(Step::EndReading(at));
            }
            Step::BeginNote(at) => {
                let node = &mut self.nodes[at];
                node.begin_note(self.now);
                if let (Some(note), Rules::NotedEarly) = (node.note, node.rules) {
                    let registration = &mut node.progress.registration;
                    registration.was_noted(note.reader, self.now, self.now, note.applied);
                }
            }
            Step::ServeNote(at) => self.serve_note(at),
            Step::EndNote(at) => self.end_note(at),
            Step::Note(at) => {
                self.step(Step::BeginNote(at));
                self.step(Step::ServeNote(at));
                self.step(Step::EndNote(at));
            }
            Step::PrepareTelling(at) => {
                let node = &mut self.nodes[at];
                if node.rules == Rules::TakenEarly {
                    node.taken = Some(node.progress.outgoing.take(self.now));
                }
            }
            Step::BeginTelling(at) => {
                let node = &mut self.nodes[at];
                let taken = node.taken.take();
                let notices = taken.unwrap_or_else(|| node.progress.outgoing.take(self.now));
                // What is told of the feed as it was is heard by nobody.
                let is_heard = node.history == self.history;
                node.telling = Some((self.now, notices)).filter(|_| is_heard);
            }
            Step::ServeTelling(at) => {
                let telling = self.nodes[at].telling.take();
                if let Some((since, notices)) = telling
                    && self.now - since <= TOLD_WITHIN
                {
                    let told = notices.into_iter().map(|notice| (self.now, notice));
                    self.stream.extend(told);
                }
            }
            Step::Relay(at) => {
                self.step(Step::Read(at));
                self.step(Step::BeginTelling(at));
                self.step(Step::ServeTelling(at));
            }
            Step::BeginHearing(at) => {
                let node = &mut self.nodes[at];
                if node.hearing_since.is_none() {
                    node.hearing_since = Some(self.now);
                }
            }
            Step::EndHearing(at, chance) => self.end_hearing(at, chance),
            Step::Relisten(at) => {
                let node = &mut self.nodes[at];
                node.hearing_since = None;
                node.told_after = self.now;
            }
            Step::Restore(changes) => self.restore(changes),
        }
    }

    /// The store is as it was before its last changes, and so are those who read it.
    fn restore(&mut self, changes: u64) {
        let head = FeedSeq::new(self.head().value().saturating_sub(changes));
        if head == self.head() {
            return;
        }
        self.history += 1;
        self.commits
            .truncate(usize::try_from(head.value()).expect("few"));
        for (applied, _) in self.readers.values_mut() {
            *applied = head.min(*applied);
        }
        self.effective.retain(|seq| *seq <= head);
        self.stream.clear();
        for node in &mut self.nodes {
            // Who knows of nothing that is lost has nothing to find out.
            let known = node.progress.ahead.last().copied();
            if known.max(node.progress.applied()) <= Some(head) && node.history + 1 == self.history
            {
                node.history = self.history;
            }
            node.in_effect.retain(|seq| *seq <= head);
            node.warned_of = FeedSeq::START;
            node.heard_of = FeedSeq::START;
            node.reading = None;
            node.taken = None;
            node.telling = None;
        }
    }

    /// Who revokes looks whether each change is in effect everywhere.
    fn look(&mut self) {
        let since = self.now.saturating_sub(IGNORED_AFTER);
        let mut readers = self.readers.values().filter(|(_, at)| *at >= since);
        let applied_by_all = readers.clone().map(|(applied, _)| *applied).min();
        let is_known = readers.next().is_some();
        for (before, committed) in self.commits.iter().enumerate() {
            let seq = FeedSeq::new(before as u64 + 1);
            if self.now >= *committed + CONFIRMED_FOR {
                self.seen.leases_expired = true;
                self.effective.insert(seq);
            } else if applied_by_all.is_none_or(|applied| applied >= seq) {
                self.seen.acknowledged |= is_known;
                self.effective.insert(seq);
            }
        }
    }

    fn serve_reading(&mut self, at: usize) {
        let head = self.head();
        if let Some((reading, page @ None)) = &mut self.nodes[at].reading {
            let changes = reading.after.map_or(Vec::new(), |after| {
                let later = after.value() + 1..=head.value();
                later.map(|seq| revocation(FeedSeq::new(seq))).collect()
            });
            *page = Some(FeedPage { head, changes });
        }
    }

    fn end_reading(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        let Some((reading, page)) = node.reading.take() else {
            return;
        };
        let Some(page) = page else {
            node.reading = Some((reading, None));
            return;
        };
        for change in &page.changes {
            node.in_effect.insert(change.seq);
        }
        let read = node.progress.read(&reading, &page, self.now);
        if let Some(until) = read.confirmed_until {
            node.confirm(until);
        }
        if read.drops == Drops::Regressed {
            node.confirmed_until = Duration::ZERO;
            node.history = self.history;
            self.seen.regressed = true;
        }
        if read.drops != Drops::Nothing {
            self.drop_all(at);
        }
    }

    fn fail_reading(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        if node.reading.take().is_none() {
            return;
        }
        let drops = node.progress.reading_failed();
        node.warned_of = node.heard_of;
        if drops && node.rules != Rules::GapForgotten {
            self.seen.dropped = true;
            self.drop_all(at);
        }
    }

    /// What is read of the store from now on is as it is now.
    fn drop_all(&mut self, at: usize) {
        let committed = 1..=self.head().value();
        self.nodes[at].in_effect.extend(committed.map(FeedSeq::new));
    }

    fn serve_note(&mut self, at: usize) {
        let head = self.head();
        let node = &mut self.nodes[at];
        if let Some(note) = node.note.as_mut().filter(|note| !note.is_written) {
            note.is_written = true;
            if node.rules == Rules::Unregistered {
                return;
            }
            let says = if node.rules == Rules::NotesAhead {
                head
            } else {
                note.applied
            };
            let reader = if node.rules == Rules::SameReader {
                ReaderId::new([0; 16])
            } else {
                note.reader
            };
            // The clocks on the wall differ by a minute.
            let date = if at == 0 {
                note.began.saturating_sub(Duration::from_secs(30))
            } else {
                note.began + Duration::from_secs(30)
            };
            let noted = self.readers.entry((at, reader)).or_insert((says, date));
            *noted = (noted.0.max(says), date);
        }
    }

    fn end_note(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        let Some(note) = node.note.filter(|note| note.is_written) else {
            return;
        };
        node.note = None;
        let Noting {
            began,
            mut reader,
            applied,
            ..
        } = note;
        let is_earlier = node.progress.registration.reader() != Some(reader);
        if is_earlier && node.rules == Rules::EarlierNoteCounts {
            node.begin_note(self.now);
            reader = node.note.take().map_or(reader, |note| note.reader);
        }
        let registration = &mut node.progress.registration;
        match node.rules {
            Rules::NotedEarly => {}
            Rules::LapseIgnored => {
                // As if the note before were still good.
                let good_until = node.noted_at.map(|at| at + TRUSTED_FOR);
                let ended = good_until.map_or(self.now, |end| end.min(self.now));
                registration.was_noted(reader, began, ended, applied);
            }
            Rules::NoteNeverEnds => {
                let for_ever = Duration::from_secs(1_000_000);
                registration.was_noted(reader, for_ever, self.now, applied);
            }
            _ => registration.was_noted(reader, began, self.now, applied),
        }
        if let Some(former) = registration.take_former() {
            self.readers.remove(&(at, former));
        }
        if !is_earlier {
            node.noted_at = Some(began);
        }
    }

    /// Gives some of what was told since the call before this one began, some of it twice, in any order.
    fn end_hearing(&mut self, at: usize, chance: u64) {
        let node = &mut self.nodes[at];
        let Some(called_at) = node.hearing_since.take() else {
            return;
        };
        let told = self.stream.iter().rev();
        let told = told.take_while(|(told_at, _)| *told_at >= node.told_after);
        let mut notices: Vec<_> = told.map(|(_, notice)| notice.clone()).collect();
        // Mostly as they were told.
        if chance.is_multiple_of(2) {
            notices.reverse();
        }
        if chance.is_multiple_of(5) {
            let mut chance = chance;
            notices.retain(|_| {
                chance = chance.rotate_right(3);
                !chance.is_multiple_of(3)
            });
        }
        for notice in &notices {
            let heard = node.apply(notice, called_at, self.now);
            match heard {
                Heard::Confirmed(until) => {
                    self.seen.confirmed_by_watermark |= node.confirmed_until < until;
                    node.confirm(until);
                }
                Heard::Gap => self.seen.gap = true,
                Heard::Known | Heard::Applied => {}
            }
        }
        if notices.is_empty() && node.rules == Rules::SilenceConfirms {
            let head = node.progress.applied().unwrap_or_default();
            let age = Duration::ZERO;
            let silence = Watermark { head, age };
            let heard = node
                .progress
                .heard_watermark(silence, node.told_after, self.now);
            if let Heard::Confirmed(until) = heard {
                node.confirm(until);
            }
        }
        node.told_after = called_at;
    }
}

pub(super) fn revocation(seq: FeedSeq) -> Change {
    Change {
        seq,
        kind: ChangeKind::Record {
            kid: "0000000000000000000000".parse().expect("a kid"),
            version: RecordVersion::new(2),
        },
    }
}

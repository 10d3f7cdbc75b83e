//! Whether checkpoints were with their anchors in time, put on record once an hour.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis_audit_log::{
    event::{Code, Outcome},
    observer::{Event, Observer},
};

use super::{AuditActor, AuditDraft, actions::AUDIT_ANCHORED};
use crate::clock::Clock;

/// Looks at what becomes of each checkpoint, beside another who does.
#[derive(Debug)]
pub(crate) struct AnchorTimes {
    inner: Arc<dyn Observer>,
    clock: Arc<dyn Clock>,
    tally: Mutex<Tally>,
}

#[derive(Debug)]
struct Tally {
    anchors: BTreeMap<String, Anchored>,
    /// The size of the tree that is published.
    published: u64,
    /// When it was last put on record.
    told: Duration,
}

#[derive(Debug, Default)]
struct Anchored {
    /// Published and not there: the size of each, and since when.
    pending: VecDeque<(u64, Duration)>,
    in_time: u64,
    late: u64,
    /// Whether one was late since it last had one.
    is_behind: bool,
}

/// How long it may take until a checkpoint is there.
const IN_TIME: Duration = Duration::from_secs(5 * 60);

/// From one entry to the next.
const EVERY: Duration = Duration::from_secs(60 * 60);

const LATE: Code = Code::new("late");

impl AnchorTimes {
    /// Of the anchors of those names.
    pub(crate) fn new(
        anchors: impl IntoIterator<Item = String>,
        inner: Arc<dyn Observer>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let anchors = anchors.into_iter();
        let tally = Tally {
            anchors: anchors.map(|name| (name, Anchored::default())).collect(),
            published: 0,
            told: clock.monotonic(),
        };
        Self {
            inner,
            clock,
            tally: Mutex::new(tally),
        }
    }

    /// What is to be put on record, once an hour.
    pub(super) fn due(&self) -> Vec<AuditDraft> {
        let now = self.clock.monotonic();
        let mut tally = self.locked();
        if now.saturating_sub(tally.told) < EVERY {
            return Vec::new();
        }
        tally.told = now;
        tally.drain(now)
    }

    /// Whether a checkpoint is late by now, and still not there.
    pub(super) fn has_late(&self) -> bool {
        let now = self.clock.monotonic();
        let mut tally = self.locked();
        tally.anchors.values_mut().any(|anchored| {
            anchored.expire(now);
            anchored.is_behind
        })
    }

    /// What is to be put on record at the end.
    pub(super) fn drain(&self) -> Vec<AuditDraft> {
        let now = self.clock.monotonic();
        self.locked().drain(now)
    }

    fn locked(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for AnchorTimes {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Published { size } => self.locked().published(*size, self.clock.monotonic()),
            Event::Anchored { anchor, size } => {
                self.locked()
                    .anchored(anchor, *size, self.clock.monotonic());
            }
            _ => {}
        }
        self.inner.observe(event);
    }
}

impl Tally {
    /// One is published twice if an anchor has signed it.
    fn published(&mut self, size: u64, now: Duration) {
        if size <= self.published {
            return;
        }
        self.published = size;
        for anchored in self.anchors.values_mut() {
            anchored.expire(now);
            anchored.pending.push_back((size, now));
        }
    }

    /// It has all before too.
    fn anchored(&mut self, anchor: &str, size: u64, now: Duration) {
        let Some(anchored) = self.anchors.get_mut(anchor) else {
            return;
        };
        anchored.expire(now);
        anchored.is_behind = false;
        while anchored
            .pending
            .pop_front_if(|(pending, _)| *pending <= size)
            .is_some()
        {
            anchored.in_time += 1;
        }
    }

    fn drain(&mut self, now: Duration) -> Vec<AuditDraft> {
        let mut drafts = Vec::new();
        for (name, anchored) in &mut self.anchors {
            anchored.expire(now);
            let counts = [
                (&mut anchored.in_time, Outcome::Success, None),
                (&mut anchored.late, Outcome::Failure, Some(LATE)),
            ];
            for (count, outcome, detail) in counts {
                let count = std::mem::take(count);
                if count > 0 {
                    let by = AuditActor::System("schedule".to_owned());
                    drafts.push(AuditDraft {
                        resources: vec![name.clone()],
                        count,
                        outcome,
                        detail,
                        ..AuditDraft::new(None, AUDIT_ANCHORED, by)
                    });
                }
            }
        }
        drafts
    }
}

impl Anchored {
    /// What has been waiting for too long is late, whatever becomes of it.
    fn expire(&mut self, now: Duration) {
        let is_late = |since: Duration| now.saturating_sub(since) > IN_TIME;
        while self
            .pending
            .pop_front_if(|(_, since)| is_late(*since))
            .is_some()
        {
            self.late += 1;
            self.is_behind = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_audit_log::observer::NoObserver;

    use super::*;
    use crate::clock::ToldClock;

    #[test]
    fn a_checkpoint_is_late_after_five_minutes_and_is_told_within_the_hour() {
        // The start; what is observed; what is asked.
        let clock = ToldClock::new([0, 0, 300, 310, 310, 611, 620, 3_599, 3_600, 3_600]);
        let names = ["a", "b"].map(str::to_owned);
        let times = AnchorTimes::new(names, Arc::new(NoObserver::default()), Arc::new(clock));
        let published = |size| times.observe(&Event::Published { size });
        let anchored = |anchor, size| times.observe(&Event::Anchored { anchor, size });
        published(3);
        anchored("a", 3);
        published(5);
        // With what an anchor has signed.
        published(5);
        anchored("b", 5);
        anchored("a", 5);
        assert!(times.due().is_empty());
        let told: Vec<_> = times
            .due()
            .iter()
            .map(|draft| (draft.resources[0].clone(), draft.count, draft.detail))
            .collect();
        let expected = [("a", 1, None), ("a", 1, Some(LATE)), ("b", 2, Some(LATE))];
        assert_eq!(
            told,
            expected.map(|(name, count, why)| (name.to_owned(), count, why))
        );
        assert!(times.drain().is_empty());
    }

    #[test]
    fn an_anchor_is_late_until_it_has_what_is_published() {
        // The start; what is observed and asked, in turn.
        let clock = ToldClock::new([0, 0, 300, 301, 310, 311, 320, 321]);
        let names = ["a".to_owned()];
        let times = AnchorTimes::new(names, Arc::new(NoObserver::default()), Arc::new(clock));
        times.observe(&Event::Published { size: 3 });
        assert!(!times.has_late());
        assert!(times.has_late());
        times.observe(&Event::Published { size: 5 });
        assert!(times.has_late());
        let (anchor, size) = ("a", 5);
        times.observe(&Event::Anchored { anchor, size });
        assert!(!times.has_late());
    }
}

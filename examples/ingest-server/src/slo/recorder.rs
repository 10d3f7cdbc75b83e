//! From the counters of a process to the history of all, in the background.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use time::OffsetDateTime;

use super::{
    buckets::{Buckets, KEPT},
    counts::{ByObjective, ObjectiveCounts},
    report::{Past, SloReport},
    window::Window,
};
use crate::{
    clock::Clock,
    pipeline::objectives::Slo,
    store::{SloHistory, SloQuery, Slot, StoreError},
};

/// How often [`SloRecorder::flush`] is to be called: what a process that is killed loses at most.
const FLUSHED_EVERY: Duration = Duration::from_secs(10);

/// How often what is too old is removed.
const PRUNED_EVERY: Duration = Duration::from_secs(600);

/// By how much the clock may have gone another way than time has, for anything to be removed by it.
const SET_BY: Duration = Duration::from_secs(60);

/// Keeps the history of the objectives: what this process counts is read now and then, written to what all share, and
/// shown together with what the others wrote.
///
/// What counts waits for nothing here. What cannot be written stays in memory, as [`Buckets`] bounds it.
#[derive(Debug)]
pub(crate) struct SloRecorder {
    counts: Arc<dyn ObjectiveCounts>,
    history: Arc<dyn SloHistory>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    buckets: Buckets,
    /// What the counters were when they were last read, and when that was.
    read: ByObjective,
    at: OffsetDateTime,
    /// When it was last thought of removing what is old, by either clock.
    pruned: (OffsetDateTime, Duration),
}

impl SloRecorder {
    /// A name that no process has, or had.
    pub(crate) fn new(
        node: Arc<str>,
        counts: Arc<dyn ObjectiveCounts>,
        history: Arc<dyn SloHistory>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let (at, since) = (clock.wall(), clock.monotonic());
        let state = State {
            buckets: Buckets::new(node),
            read: ByObjective::default(),
            at,
            pruned: (at, since),
        };
        Self {
            counts,
            history,
            clock,
            state: Mutex::new(state),
        }
    }

    /// How long to wait before the next [`flush`](Self::flush), so that one comes right after the end of each slot.
    pub(crate) fn pause(&self) -> Duration {
        let every = FLUSHED_EVERY.as_millis();
        let now = self.clock.wall().unix_timestamp_nanos() / 1_000_000;
        let past = now.unsigned_abs() % every;
        let left = u64::try_from(every - past).unwrap_or(0);
        Duration::from_millis(left)
    }

    /// Writes what was counted until now, and at times removes what is too old. One at a time.
    ///
    /// # Errors
    /// [`StoreError`]. What could not be written waits for the next call.
    pub(crate) async fn flush(&self) -> Result<(), StoreError> {
        self.collect();
        loop {
            let unwritten = self.state().buckets.unwritten();
            let Some(unwritten) = unwritten else {
                break;
            };
            self.history.put(&unwritten.buckets()).await?;
            self.state().buckets.written(&unwritten);
        }
        if let Some(before) = self.to_prune() {
            self.history.prune(&names(), before).await?;
        }
        Ok(())
    }

    /// How each objective was kept, by all processes, this one until this moment.
    ///
    /// # Errors
    /// [`StoreError`] where what was written cannot be read.
    pub(crate) async fn report(&self) -> Result<SloReport, StoreError> {
        // First what is here, and then all else: what is written meanwhile is in neither twice.
        self.collect();
        let now = self.clock.wall();
        let spans = Window::spans(Slot::of(now));
        let (except, own) = {
            let state = self.state();
            (state.buckets.own_slots(), state.buckets.counts())
        };
        let query = SloQuery {
            slos: names().into(),
            spans: spans.to_vec(),
            except,
        };
        let mut past: [Past; 4] = Default::default();
        for sum in self.history.sums(&query).await? {
            let Some(slo) = Slo::ALL.iter().position(|slo| slo.as_str() == sum.slo) else {
                continue;
            };
            let counts = super::Counts {
                good: sum.good,
                bad: sum.bad,
            };
            past[slo].add(sum.span, counts, sum.first);
        }
        for (slot, counts) in own {
            let span = spans.iter().position(|span| span.contains(&slot));
            if let Some(span) = span {
                for (past, counts) in past.iter_mut().zip(counts) {
                    past.add(span, counts, Some(slot));
                }
            }
        }
        Ok(SloReport::new(&past, now))
    }

    /// Takes over what was counted since the last time. It happened in the slot in which half of a pause ago lies, or
    /// the last reading if that was later; after a longer pause, such as that of a machine that slept, it was of late.
    fn collect(&self) {
        let mut state = self.state();
        let now = self.clock.wall();
        let then = if now < state.at {
            now
        } else {
            state.at.max(now - FLUSHED_EVERY / 2)
        };
        let counted = self.counts.counted();
        let mut more = counted;
        for (more, before) in more.iter_mut().zip(state.read) {
            *more = more.since(before);
        }
        state.buckets.add(Slot::of(then), more);
        state.read = counted;
        state.at = now;
    }

    /// What is before this slot is too old; nothing while a clock may be wrong that has just been set.
    fn to_prune(&self) -> Option<Slot> {
        let (wall, time) = (self.clock.wall(), self.clock.monotonic());
        let mut state = self.state();
        let (wall_before, time_before) = state.pruned;
        let passed = time.saturating_sub(time_before);
        if passed < PRUNED_EVERY {
            return None;
        }
        state.pruned = (wall, time);
        let set_by = (wall - wall_before) - passed;
        (set_by.unsigned_abs() <= SET_BY).then(|| Slot::of(wall).earlier(KEPT))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Past {
    /// What was counted in a span is in its window and in all that are longer.
    fn add(&mut self, span: usize, more: super::Counts, first: Option<Slot>) {
        for counts in self.counts.iter_mut().skip(span) {
            *counts += more;
        }
        self.first = match (self.first, first) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
}

fn names() -> [&'static str; 4] {
    Slo::ALL.map(Slo::as_str)
}

#[cfg(test)]
mod tests;

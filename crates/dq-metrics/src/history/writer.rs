//! From the counters of a process to a history, in the background.

mod metrics;

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use rand::{Rng, RngExt};

use super::{
    Day, HistoryBatch, HistoryError, Hour, QualityHistory, Retention, TallyKey, WriterId,
    pending::{Dropped, Pending},
};
use crate::{
    labels::Label, ledger::Ledger, outcome::Outcome, quality::Quality, reason::Reason, tally::Tally,
};

pub use self::metrics::HistoryMetric;

/// Writes what a [`Quality`] counts and samples to a history, whenever it is asked to.
///
/// Recording events never waits for it: it reads the counters. What it cannot write now it writes later,
/// in the hour in which it was read; what waits too long for memory is given up, and counted.
///
/// # Bounds
/// 32,768 rows of tallies and the samples of three days wait at most, some 10 MB; a batch has at most 512 rows
/// and 64 samples. What was counted since the last flush is lost with a process that is killed.
#[derive(Debug)]
pub struct HistoryWriter<R> {
    quality: Quality<R>,
    history: Arc<dyn QualityHistory>,
    id: WriterId,
    sequence: u64,
    /// What the counters were when they were last read.
    read: HashMap<(Label, Label), Tally<R>>,
    pending: Pending,
    /// It may have been added already, so that it is sent again as it is.
    sending: Option<HistoryBatch>,
    keep: Keep,
    pruned: Option<Day>,
    counts: Arc<Counts>,
}

/// How many days are kept, today included.
#[derive(Clone, Copy, Debug)]
struct Keep {
    tallies: NonZeroU32,
    samples: NonZeroU32,
}

/// What metrics show of it.
#[derive(Debug, Default)]
struct Counts {
    written_events: AtomicU64,
    written_samples: AtomicU64,
    dropped_events: AtomicU64,
    dropped_samples: AtomicU64,
    pending_events: AtomicU64,
    pending_samples: AtomicU64,
    failures: AtomicU64,
}

impl<R: Reason> Quality<R> {
    /// What writes this to a history, keeping so many days of tallies and of samples there.
    ///
    /// From now on the events of each day are sampled by themselves beside those since the start. One is
    /// enough: two would both write everything.
    pub fn history_writer(
        &self,
        history: Arc<dyn QualityHistory>,
        tally_days: NonZeroU32,
        sample_days: NonZeroU32,
        rng: &mut impl Rng,
    ) -> HistoryWriter<R> {
        self.sampler().sample_days();
        HistoryWriter {
            quality: self.clone(),
            history,
            id: WriterId::from_bytes(rng.random()),
            sequence: 0,
            read: HashMap::new(),
            pending: Pending::default(),
            sending: None,
            keep: Keep {
                tallies: tally_days,
                samples: sample_days,
            },
            pruned: None,
            counts: Arc::default(),
        }
    }
}

impl<R: Reason> HistoryWriter<R> {
    /// Writes everything that was counted and sampled until now, and once a day removes what is too old. To be
    /// called every ten seconds or so, and when nothing is recorded any more.
    ///
    /// Dropping the future loses nothing: the next call goes on.
    ///
    /// # Errors
    /// [`HistoryError`]. What could not be written waits for the next call.
    pub async fn flush(&mut self) -> Result<(), HistoryError> {
        self.collect();
        let flushed = self.send_all().await;
        self.note_pending();
        let done = match flushed {
            Ok(()) => self.prune().await,
            failed => failed,
        };
        if done.is_err() {
            self.counts.failures.fetch_add(1, Ordering::Relaxed);
        }
        done
    }

    /// Reads the counters, and takes over the samples.
    fn collect(&mut self) {
        let hour = Hour::of(self.quality.now());
        let quality = self.quality.clone();
        for (tenant, event_type, now) in quality.ledger().all() {
            let before = self.read.entry((tenant, event_type)).or_default();
            for outcome in Outcome::all() {
                let events = now.count(outcome) - before.count(outcome);
                if events > 0 {
                    let key = key(quality.ledger(), hour, (tenant, event_type), outcome);
                    let dropped = self.pending.add(key, events);
                    self.counts.note_dropped(dropped);
                }
            }
            *before = now;
        }
        let (changes, samples) = quality.sampler().take_changes();
        self.counts.note_dropped(Dropped { events: 0, samples });
        let dropped = self.pending.put(changes);
        self.counts.note_dropped(dropped);
        self.note_pending();
    }

    async fn send_all(&mut self) -> Result<(), HistoryError> {
        loop {
            if self.sending.is_none() {
                self.sending = self.pending.next(self.id, self.sequence + 1);
                self.sequence += u64::from(self.sending.is_some());
            }
            let Some(batch) = &self.sending else {
                return Ok(());
            };
            self.history.write(batch).await?;
            self.counts.note_written(batch);
            self.sending = None;
        }
    }

    async fn prune(&mut self) -> Result<(), HistoryError> {
        let today = Day::of(self.quality.now());
        if self.pruned == Some(today) {
            return Ok(());
        }
        let keep = Retention::of_days(today, self.keep.tallies, self.keep.samples);
        self.history.prune(keep).await?;
        self.pruned = Some(today);
        Ok(())
    }

    fn note_pending(&self) {
        let sending = self.sending.as_ref();
        let events = sending.map_or(0, |batch| batch.tallies.values().sum());
        let samples = sending.map_or(0, |batch| batch.samples.len() as u64);
        let Counts {
            pending_events,
            pending_samples,
            ..
        } = &*self.counts;
        pending_events.store(events + self.pending.events(), Ordering::Relaxed);
        pending_samples.store(samples + self.pending.samples(), Ordering::Relaxed);
    }
}

impl Counts {
    fn note_dropped(&self, dropped: Dropped) {
        let Dropped { events, samples } = dropped;
        self.dropped_events.fetch_add(events, Ordering::Relaxed);
        self.dropped_samples.fetch_add(samples, Ordering::Relaxed);
    }

    fn note_written(&self, batch: &HistoryBatch) {
        let (events, samples) = (batch.tallies.values().sum(), batch.samples.len() as u64);
        self.written_events.fetch_add(events, Ordering::Relaxed);
        self.written_samples.fetch_add(samples, Ordering::Relaxed);
    }
}

fn key<R: Reason>(
    ledger: &Ledger<R>,
    hour: Hour,
    (tenant, event_type): (Label, Label),
    outcome: Outcome<R>,
) -> TallyKey {
    let (tenant, event_type) = (
        ledger.tenants.name(tenant),
        ledger.event_types.name(event_type),
    );
    let key = TallyKey::new(hour, tenant, event_type, outcome.as_str());
    match outcome {
        Outcome::Rejected(reason) => key.reason(reason.facts().name),
        _ => key,
    }
}

#[cfg(test)]
mod tests;

//! From the counters of a process to a history, in the background.

mod last_counts;
mod metrics;

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use rand::{Rng, RngExt};

use self::last_counts::LastCounts;
use super::{
    Day, ErasedTenant, HistoryBatch, HistoryError, Hour, QualityHistory, Retention, WriterId,
    pending::{Dropped, Pending},
};
use crate::{quality::Quality, reason::Reason};

pub use self::metrics::HistoryMetric;

/// Writes what a [`Quality`] counts and samples to a history, whenever it is asked to.
///
/// Recording events never waits for it: it reads the counters. What it cannot write now it writes later,
/// in the hour in which it was read; what waits too long for memory is given up, and counted.
///
/// It also learns from the history which tenants are erased: their samples leave this process too, and no more are
/// taken.
///
/// # Bounds
/// 32,768 rows each of tallies, receipts and versions and the samples of three days wait at most, some 20 MB; a batch
/// has at most 512 rows of each and 64 samples. What was counted since the last flush is lost with a process that is
/// killed.
#[derive(Debug)]
pub struct HistoryWriter<R> {
    quality: Quality<R>,
    history: Arc<dyn QualityHistory>,
    id: WriterId,
    sequence: u64,
    /// What the counters were when they were last read.
    read: LastCounts<R>,
    pending: Pending,
    /// The number of the last tenant that is known to be erased.
    erased: u64,
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
    dropped_receipts: AtomicU64,
    dropped_versions: AtomicU64,
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
            read: LastCounts::default(),
            pending: Pending::default(),
            erased: 0,
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
        let flushed = match self.learn_erasures().await {
            Ok(()) => self.send_all().await,
            failed => failed,
        };
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
        self.read
            .collect(self.quality.ledger(), hour, &mut self.pending, &self.counts);
        let (changes, samples) = self.quality.sampler().take_changes();
        self.counts.note_dropped(Dropped {
            samples,
            ..Dropped::default()
        });
        let dropped = self.pending.put(changes);
        self.counts.note_dropped(dropped);
        self.note_pending();
    }

    /// Forgets the samples of tenants that were erased since, here or by another process.
    async fn learn_erasures(&mut self) -> Result<(), HistoryError> {
        loop {
            let erased = self.history.erased_tenants(self.erased).await?;
            if erased.is_empty() {
                return Ok(());
            }
            for ErasedTenant { number, tenant } in erased {
                let forgotten = self.quality.erase_tenant(&tenant);
                forgotten.map_err(|error| HistoryError::Unavailable(error.into()))?;
                self.pending.erase_tenant(&tenant);
                self.erased = number;
            }
        }
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
        let Dropped {
            events,
            receipts,
            versions,
            samples,
        } = dropped;
        self.dropped_events.fetch_add(events, Ordering::Relaxed);
        self.dropped_receipts.fetch_add(receipts, Ordering::Relaxed);
        self.dropped_versions.fetch_add(versions, Ordering::Relaxed);
        self.dropped_samples.fetch_add(samples, Ordering::Relaxed);
    }

    fn note_written(&self, batch: &HistoryBatch) {
        let (events, samples) = (batch.tallies.values().sum(), batch.samples.len() as u64);
        self.written_events.fetch_add(events, Ordering::Relaxed);
        self.written_samples.fetch_add(samples, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;

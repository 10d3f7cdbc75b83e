//! The audit log, as metrics and lines of the log.

mod anchors;
mod archive;
mod following;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::Duration,
};

use portcullis_audit_log::{
    event::{Delivery, Outcome},
    observer::{DropReason, Event, Observer},
};
use portcullis_telemetry::{
    BoundedFamily, Buckets, Label, MetricError, Registry,
    prometheus_client::metrics::{counter::Counter, histogram::Histogram},
};

use self::anchors::AnchorAges;
use super::{SMALL, count, in_span, number};
use crate::{
    audit::{AuditLog, cursor_beyond},
    backend::NotInPlace,
    clock::Clock,
    config::AnchorPlace,
};

pub(crate) use self::following::register_audit_following;

/// What there is of the log, in numbers.
#[derive(Debug)]
pub(crate) struct AuditMetrics {
    events: BoundedFamily<2, Counter>,
    dropped: BoundedFamily<1, Counter>,
    unrecorded: Counter,
    failures: Counter,
    lost_parts: Counter,
    commits: Histogram,
    group_events: Histogram,
    waits: Histogram,
    anchors: AnchorAges,
    clock: Arc<dyn Clock>,
    /// When it was added to last, in seconds since 1970; 0 before that.
    written: Arc<AtomicI64>,
}

const DROPS: [DropReason; 4] = [
    DropReason::Full,
    DropReason::Invalid,
    DropReason::Store,
    DropReason::Closed,
];

impl AuditMetrics {
    /// Every series is there from the start, for alerts on the first event that is not recorded.
    pub(crate) fn register(
        registry: &Registry,
        anchors: &[AnchorPlace],
        clock: Arc<dyn Clock>,
    ) -> Result<Self, MetricError> {
        let words = |words: &'static [Outcome]| words.iter().map(|word| word.as_str());
        let deliveries = Delivery::ALL.iter().map(|delivery| delivery.as_str());
        let events = registry.counter_family(
            "ingest_audit_events",
            "Entries of the audit log, by what was promised of them and what came of what they tell",
            [
                Label::closed("delivery", deliveries),
                Label::closed("outcome", words(Outcome::ALL)),
            ],
            SMALL,
        )?;
        let dropped = registry.counter_family(
            "ingest_audit_dropped",
            "Notes that are not in the audit log; the log has how many: look at its disk",
            [Label::closed("why", DROPS.map(DropReason::as_str))],
            SMALL,
        )?;
        for delivery in Delivery::ALL {
            for outcome in Outcome::ALL {
                let _ = events.with([delivery.as_str(), outcome.as_str()]);
            }
        }
        for why in DROPS {
            let _ = dropped.with([why.as_str()]);
        }
        let written = Arc::new(AtomicI64::new(0));
        let last = Arc::clone(&written);
        registry.observed_gauge(
            "ingest_audit_written_timestamp_seconds",
            "When this process last added an entry to the audit log, as Unix time: each hour at the least, as an entry \
             says then that it is alive",
            move || number(last.load(Relaxed).unsigned_abs()),
        )?;
        Ok(Self {
            anchors: AnchorAges::register(registry, anchors, Arc::clone(&clock))?,
            clock,
            written,
            events,
            dropped,
            unrecorded: registry.counter(
                "ingest_audit_unrecorded",
                "What was not done or shown because it could not be put on record: look at the disk of the audit log",
            )?,
            failures: registry.counter(
                "ingest_audit_commit_failures",
                "Groups of entries that were not written",
            )?,
            lost_parts: registry.counter(
                "ingest_audit_lost_parts",
                "Addresses and stated reasons that could not be sealed in time: look at the key provider",
            )?,
            commits: registry.histogram(
                "ingest_audit_commit_seconds",
                "Time of one commit of the audit log",
                Buckets::STAGE_SECONDS,
            )?,
            group_events: registry.histogram(
                "ingest_audit_group_events",
                "Entries that one commit made durable",
                Buckets::new([1.0, 4.0, 16.0, 64.0, 256.0, 1_024.0, 4_096.0]),
            )?,
            waits: registry.histogram(
                "ingest_audit_wait_seconds",
                "How long was waited for an entry to be durable",
                Buckets::STAGE_SECONDS,
            )?,
        })
    }
}

impl Observer for AuditMetrics {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Written { delivery, outcome } => {
                let now = self.clock.wall().unix_timestamp();
                self.written.store(now, Relaxed);
                self.events
                    .with([delivery.as_str(), outcome.as_str()])
                    .inc();
            }
            Event::Dropped { why, .. } => {
                self.dropped.with([why.as_str()]).inc();
            }
            Event::PartsLost { parts } => {
                self.lost_parts.inc_by(*parts);
            }
            Event::Committed { events, took } => {
                let events = u32::try_from(*events).unwrap_or(u32::MAX);
                self.group_events.observe(f64::from(events));
                self.commits.observe(took.as_secs_f64());
                self.anchors.committed();
            }
            Event::Answered { took, recorded } => self.answered(*took, *recorded),
            Event::StoreFailed { error } => {
                self.failures.inc();
                in_span(|| {
                    tracing::error!(
                        error = *error as &dyn std::error::Error,
                        "the audit log was not written"
                    );
                });
            }
            Event::LeftUnwritten { events } => in_span(|| {
                tracing::error!(
                    events,
                    "the audit log has ended, and nobody knows whether its last events are written"
                );
            }),
            Event::RolledBack { found } => in_span(|| {
                tracing::error!(
                    error = *found as &dyn std::error::Error,
                    "the audit log is not the one that was there before"
                );
            }),
            Event::Published { size } => self.anchors.published(*size),
            Event::Anchored { anchor, size } => self.anchors.anchored(anchor, *size),
            Event::ClockAhead { found } => in_span(|| {
                tracing::warn!(
                    clock = %found.clock,
                    trusted = %found.trusted,
                    "the clock is far ahead of the last entry of the audit log, and what is too old is counted by the \
                     other time: if the clock is wrong, set it before the next start; if the service was off for so \
                     long, the next start takes away what is too old, or `ingest-server audit prune --confirm-clock`"
                );
            }),
            Event::CursorBeyond { cursor, found } => in_span(|| cursor_beyond(cursor, *found)),
            Event::AnchorFailed { anchor, error } => in_span(|| {
                tracing::warn!(
                    error = *error as &dyn std::error::Error,
                    anchor,
                    "a checkpoint of the audit log was not anchored"
                );
            }),
            _ => {}
        }
    }
}

impl AuditMetrics {
    fn answered(&self, took: Duration, recorded: bool) {
        self.waits.observe(took.as_secs_f64());
        if !recorded {
            self.unrecorded.inc();
        }
    }
}

/// Tells what became of a log that was closed.
pub(crate) fn audit_log_closed(closed: Result<(), NotInPlace>) {
    if let Err(error) = closed {
        in_span(|| {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the audit log was not put in place; the next start does it"
            );
        });
    }
}

/// How large the log is and how much waits for it.
pub(crate) fn register_audit_log(registry: &Registry, audit: &AuditLog) -> Result<(), MetricError> {
    let status = audit.status();
    let size = status.clone();
    registry.observed_gauge(
        "ingest_audit_entries",
        "Entries that the audit log has had since it was begun",
        move || number(size.now().size),
    )?;
    let published = status.clone();
    registry.observed_gauge(
        "ingest_audit_published_entries",
        "Entries that the published checkpoint of the audit log has",
        move || number(published.now().published),
    )?;
    let musts = status.clone();
    registry.observed_gauge(
        "ingest_audit_queue_musts",
        "Entries that somebody waits for, of at most 4,096",
        move || count(musts.now().must_waiting),
    )?;
    registry.observed_gauge(
        "ingest_audit_queue_notes",
        "Notes that wait to be written, of at most 8,192",
        move || count(status.now().notes_waiting),
    )
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use futures_util::poll;
    use portcullis_audit_log::{
        audit::Audit,
        event::{EventId, Id, Personal},
        note::SigningKey,
        sealer::{PartToSeal, SealError, Sealer},
        store::{MemoryStore, StoreError},
    };
    use secrecy::SecretBox;

    use super::*;
    use crate::{
        audit::{
            AuditActor, AuditDraft, AuditFolder, AuditIdentity, Peer, WriteRecords,
            actions::LEAD_READ,
        },
        clock::SystemClock,
        observe::{movement::assert_moved, scraped},
    };

    /// A key provider that is down.
    #[derive(Debug)]
    struct NoKeys;

    #[async_trait]
    impl Sealer for NoKeys {
        async fn seal(&self, parts: &[PartToSeal<'_>]) -> Vec<Result<Vec<u8>, SealError>> {
            let failed = parts.iter().map(|_| Err(SealError::new("no keys")));
            failed.collect()
        }

        async fn open(&self, _: &Id, _: EventId, _: &[u8]) -> Result<Personal, SealError> {
            Err(SealError::new("no keys"))
        }
    }

    fn draft() -> AuditDraft {
        AuditDraft {
            peer: Some(Peer::new("192.0.2.1".parse().unwrap())),
            ..AuditDraft::new(Some("acme"), LEAD_READ, AuditActor::Anonymous)
        }
    }

    #[tokio::test]
    async fn what_waits_and_what_is_published_is_told_and_what_cannot_be_sealed() {
        let registry = Registry::new();
        let metrics =
            Arc::new(AuditMetrics::register(&registry, &[], Arc::new(SystemClock)).unwrap());
        let origin = "test.example/audit".parse().unwrap();
        let store = Arc::new(MemoryStore::new());
        let seed = SecretBox::new(Box::new([7; 32]));
        let builder = Audit::builder(store, origin, Id::constant("a"))
            .key(SigningKey::from_seed("test.example/audit".parse().unwrap(), &seed).unwrap())
            .sealer(Arc::new(NoKeys))
            .observer(metrics);
        let (audit, writing) = builder.open().await.unwrap();
        let folder = AuditFolder::new("audit".into(), "a".to_owned());
        let identity = AuditIdentity {
            origin: "test.example/audit".parse().unwrap(),
            keys: Vec::new(),
        };
        let clock = Arc::new(SystemClock);
        let (log, _gathering) =
            AuditLog::new(audit.clone(), folder, identity, clock, WriteRecords::Off);
        register_audit_log(&registry, &log).unwrap();

        let before = scraped(&registry);
        log.note(draft());
        let mut recording = Box::pin(log.record(draft()));
        assert!(poll!(&mut recording).is_pending(), "nobody writes yet");
        let waiting = scraped(&registry);
        assert_moved(
            &before,
            &waiting,
            ["ingest_audit_queue_musts", "ingest_audit_queue_notes"],
        );
        let writing = tokio::spawn(writing);
        recording.await.unwrap();
        audit.checkpoint().await.unwrap();
        let after = scraped(&registry);
        assert_moved(
            &before,
            &after,
            [
                "ingest_audit_published_entries",
                "ingest_audit_lost_parts_total",
                "ingest_audit_written_timestamp_seconds",
            ],
        );
        assert_eq!(after["ingest_audit_lost_parts_total"], 2.0);
        audit.close();
        writing.await.unwrap();
    }

    #[test]
    fn what_is_not_on_record_is_counted() {
        let registry = Registry::new();
        let metrics = AuditMetrics::register(&registry, &[], Arc::new(SystemClock)).unwrap();
        let before = scraped(&registry);
        let action = LEAD_READ.action;
        for why in DROPS {
            metrics.observe(&Event::Dropped { action, why });
        }
        let took = Duration::from_secs(2);
        let recorded = false;
        metrics.observe(&Event::Answered { took, recorded });
        let error = &StoreError::unavailable("no disk");
        metrics.observe(&Event::StoreFailed { error });
        assert_moved(
            &before,
            &scraped(&registry),
            [
                "ingest_audit_dropped_total",
                "ingest_audit_unrecorded_total",
                "ingest_audit_commit_failures_total",
            ],
        );
    }
}

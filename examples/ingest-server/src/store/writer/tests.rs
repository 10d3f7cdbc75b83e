//! Which requests form a group, and what they are told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::{
    future::{join, join_all},
    poll,
};
use portcullis_keyring::{TenantId, entropy::SystemEntropy};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{GroupLoop, WriteEvent, WriteObserver, Writer, WriterLimits};
use crate::{
    clock::{Clock, SystemClock, ToldClock},
    store::{
        Activity, Asked, AuditActor, AuditDraft, AuditEvent, AuditLog, AuditLogEvent,
        AuditObserver, AuditOutcome, Committed, DecidedAt, Group, GroupSink, Receipt, StoreError,
        Write,
    },
};

/// Remembers what it was given, and fails as it is told to.
#[derive(Debug, Default, Clone)]
struct Sink {
    /// Of each group, its events of the audit log and its writes.
    groups: Arc<Mutex<Vec<(usize, usize)>>>,
    failures: Arc<Mutex<VecDeque<StoreError>>>,
    /// How long each group takes.
    takes: Duration,
    /// What becomes of the rows of each group, in order, and then they are stored.
    receipts: Arc<Mutex<VecDeque<Receipt>>>,
}

#[async_trait]
impl GroupSink for Sink {
    async fn commit(&mut self, group: &Group, _: &dyn Clock) -> Result<Committed, StoreError> {
        let rows = (group.audit.len(), group.writes.len());
        self.groups.lock().unwrap().push(rows);
        tokio::time::sleep(self.takes).await;
        self.try_writing().await?;
        let mut told = self.receipts.lock().unwrap();
        let receipts = group.writes.iter();
        let receipts = receipts.map(|_| told.pop_front().unwrap_or(Receipt::Stored));
        Ok(Committed {
            audit: Ok(()),
            receipts: receipts.collect(),
        })
    }

    async fn try_writing(&mut self) -> Result<(), StoreError> {
        self.failures
            .lock()
            .unwrap()
            .pop_front()
            .map_or(Ok(()), Err)
    }
}

#[derive(Debug, Default, Clone)]
struct Told {
    writes: Arc<Mutex<Vec<WriteEvent>>>,
    audit: Arc<Mutex<Vec<AuditLogEvent>>>,
}

impl WriteObserver for Told {
    fn observe(&self, event: &WriteEvent) {
        self.writes.lock().unwrap().push(*event);
    }
}

impl AuditObserver for Told {
    fn observe(&self, event: AuditLogEvent) {
        self.audit.lock().unwrap().push(event);
    }
}

struct Fixture {
    sink: Sink,
    told: Told,
    writer: Writer,
    groups: GroupLoop,
}

impl Fixture {
    /// Groups of at most four rows and two events of the audit log.
    fn new() -> Self {
        let limits = WriterLimits {
            group_rows: 4.try_into().unwrap(),
            group_audit: 2.try_into().unwrap(),
            queued_audit: 3.try_into().unwrap(),
            ..WriterLimits::default()
        };
        let told = Told::default();
        let observer = Arc::new(told.clone());
        let (writer, groups) = Writer::with_loop(limits, Arc::new(SystemClock), observer);
        Self {
            sink: Sink::default(),
            told,
            writer,
            groups,
        }
    }

    fn fails(self, failures: impl IntoIterator<Item = StoreError>) -> Self {
        self.sink.failures.lock().unwrap().extend(failures);
        self
    }

    /// What becomes of requests that have all queued before the first group.
    async fn run(self, writes: &[usize], audits: usize) -> (Vec<bool>, Vec<bool>) {
        let writes = writes.iter().map(|rows| {
            let (writer, rows) = (self.writer.clone(), vec![row(); *rows]);
            async move { writer.write(rows).await.is_ok() }
        });
        let audits = (0..audits).map(|_| {
            let writer = self.writer.clone();
            async move { writer.append_audit(vec![event()]).await.is_ok() }
        });
        let mut requests = Box::pin(join(join_all(writes), join_all(audits)));
        assert!(poll!(&mut requests).is_pending(), "nothing is written yet");
        drop(self.writer);
        let writing = self.groups.run(Box::new(self.sink));
        join(requests, writing).await.0
    }
}

#[tokio::test]
async fn what_must_be_on_record_is_in_the_next_group_whatever_waits_before_it() {
    let fixture = Fixture::new();
    let sink = fixture.sink.clone();
    let (writes, audits) = fixture.run(&[3, 3, 3], 3).await;
    assert_eq!((writes, audits), (vec![true; 3], vec![true; 3]));
    assert_eq!(*sink.groups.lock().unwrap(), [(2, 3), (1, 3), (0, 3)]);
}

/// What the observer is told of an event whose group takes so long.
async fn told_of_an_event(takes: Duration) -> Vec<AuditLogEvent> {
    let Fixture {
        mut sink,
        told,
        writer,
        groups,
    } = Fixture::new();
    sink.takes = takes;
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy::new()));
    let (log, notes) = AuditLog::new(writer, clock, entropy, Arc::new(told.clone()));
    drop(notes);
    let record = async move { log.record(event().draft).await };
    drop(join(record, groups.run(Box::new(sink.clone()))).await);
    assert_eq!(*sink.groups.lock().unwrap(), [(1, 0)]);
    told.audit.lock().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_durable_too_late_is_told_of_as_not_on_record_and_no_more() {
    let (in_time, late) = (Duration::from_secs(1), Duration::from_secs(2));
    assert_eq!(told_of_an_event(in_time).await, [AuditLogEvent::Recorded]);
    assert_eq!(told_of_an_event(late).await, [AuditLogEvent::Unrecorded]);
}

#[tokio::test]
async fn a_request_of_more_rows_than_a_group_has_is_written_whole() {
    let fixture = Fixture::new();
    let sink = fixture.sink.clone();
    fixture.run(&[2, 9, 1], 0).await;
    assert_eq!(*sink.groups.lock().unwrap(), [(0, 2), (0, 9), (0, 1)]);
}

#[tokio::test]
async fn more_than_may_wait_to_be_on_record_is_refused_at_once() {
    let Fixture { writer, groups, .. } = Fixture::new();
    let mut waiting: Vec<_> = (0..3)
        .map(|_| Box::pin(writer.append_audit(vec![event()])))
        .collect();
    for one in &mut waiting {
        assert!(poll!(one).is_pending());
    }
    let refused = writer.append_audit(vec![event()]).await;
    assert!(matches!(refused, Err(StoreError::AuditFull)));
    drop(groups);
    for one in waiting {
        assert!(matches!(one.await, Err(StoreError::Stopped)));
    }
}

#[tokio::test]
async fn who_has_gone_away_gets_no_row() {
    let Fixture {
        sink,
        writer,
        groups,
        ..
    } = Fixture::new();
    let mut leaving = Box::pin(writer.append_audit(vec![event()]));
    assert!(poll!(&mut leaving).is_pending());
    drop(leaving);
    drop(writer);
    groups.run(Box::new(sink.clone())).await;
    assert!(sink.groups.lock().unwrap().is_empty());
}

#[tokio::test]
async fn who_waits_while_another_process_has_the_lock_is_refused_with_the_group() {
    let fixture = Fixture::new().fails([StoreError::Busy]);
    let (sink, gauge) = (fixture.sink.clone(), fixture.writer.gauge());
    let (writes, audits) = fixture.run(&[3, 3, 3], 3).await;
    assert_eq!((writes, audits), (vec![false; 3], vec![false; 3]));
    assert_eq!(*sink.groups.lock().unwrap(), [(2, 3)]);
    assert_eq!(gauge.failures(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_the_database_is_tried_until_it_can_be_written() {
    let fixture = Fixture::new().fails([StoreError::Full, StoreError::Full]);
    let (told, gauge) = (fixture.told.clone(), fixture.writer.gauge());
    let kept = fixture.writer.clone();
    let running = tokio::spawn(async move { fixture.run(&[1], 0).await });
    while gauge.failures() != 0 || told.writes.lock().unwrap().len() < 2 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(kept);
    assert_eq!(running.await.unwrap().0, [false]);
    let events = told.writes.lock().unwrap().clone();
    let recovered = WriteEvent::Recovered { failures: 2 };
    assert_eq!(events, [WriteEvent::Failed { rows: 1 }, recovered]);
}

#[tokio::test]
async fn a_request_that_waited_too_long_is_refused_whole_and_alone_and_counted() {
    let fixture = Fixture::new();
    let receipts = [Receipt::Stored, Receipt::Late, Receipt::Late];
    fixture.sink.receipts.lock().unwrap().extend(receipts);
    let told = fixture.told.clone();
    let (writes, _) = fixture.run(&[1, 2, 1], 0).await;
    assert_eq!(writes, [true, false, true]);
    let events = told.writes.lock().unwrap().clone();
    assert!(events.contains(&WriteEvent::Late { rows: 2 }), "{events:?}");
    let fixture = Fixture::new().fails([StoreError::Late]);
    let told = fixture.told.clone();
    assert_eq!(fixture.run(&[3], 0).await.0, [false]);
    let events = told.writes.lock().unwrap().clone();
    assert!(events.contains(&WriteEvent::Late { rows: 3 }), "{events:?}");
}

#[tokio::test]
async fn a_commit_that_ended_too_late_is_told() {
    for (ended, is_late) in [(30, false), (31, true)] {
        let told = Told::default();
        let clock = Arc::new(ToldClock::new([1, ended]));
        let observer = Arc::new(told.clone());
        let (writer, groups) = Writer::with_loop(WriterLimits::default(), clock, observer);
        let decided = Write {
            decided_at: Some(DecidedAt::now(&ToldClock::new([0]))),
            ..row()
        };
        let write = async move { writer.write(vec![decided]).await };
        let (written, ()) = join(write, groups.run(Box::new(Sink::default()))).await;
        assert_eq!(written.unwrap(), [Receipt::Stored]);
        let late = WriteEvent::CommittedLate { rows: 1 };
        assert_eq!(told.writes.lock().unwrap().contains(&late), is_late);
    }
}

fn row() -> Write {
    Write {
        tenant: TenantId::new("acme").unwrap(),
        event: None,
        lead: None,
        asked: Asked::Store,
        decided_at: None,
    }
}

fn event() -> AuditEvent {
    AuditEvent {
        id: Uuid::nil(),
        time: OffsetDateTime::UNIX_EPOCH,
        draft: AuditDraft {
            tenant: "acme".to_owned(),
            action: "lead.read",
            activity: Activity::Read,
            actor: AuditActor::ApiKey("kid".to_owned()),
            resource_type: "lead",
            resources: Vec::new(),
            count: 0,
            fields: Vec::new(),
            reason: None,
            outcome: AuditOutcome::Success,
            detail: None,
            refs: None,
            peer: None,
            trace: None,
        },
    }
}

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
use portcullis_keyring::TenantId;

use super::{GroupLoop, WriteEvent, WriteObserver, Writer, WriterLimits};
use crate::{
    clock::{Clock, SystemClock, ToldClock},
    store::{Asked, Committed, DecidedAt, Group, GroupSink, Receipt, StoreError, Write},
};

/// Remembers what it was given, and fails as it is told to.
#[derive(Debug, Default, Clone)]
struct Sink {
    /// How many writes each group has.
    groups: Arc<Mutex<Vec<usize>>>,
    failures: Arc<Mutex<VecDeque<StoreError>>>,
    /// What becomes of the rows of each group, in order, and then they are stored.
    receipts: Arc<Mutex<VecDeque<Receipt>>>,
}

#[async_trait]
impl GroupSink for Sink {
    async fn commit(&mut self, group: &Group, _: &dyn Clock) -> Result<Committed, StoreError> {
        self.groups.lock().unwrap().push(group.writes.len());
        self.try_writing().await?;
        let mut told = self.receipts.lock().unwrap();
        let receipts = group.writes.iter();
        let receipts = receipts.map(|_| told.pop_front().unwrap_or(Receipt::Stored));
        Ok(Committed {
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
}

impl WriteObserver for Told {
    fn observe(&self, event: &WriteEvent) {
        self.writes.lock().unwrap().push(*event);
    }
}

struct Fixture {
    sink: Sink,
    told: Told,
    writer: Writer,
    groups: GroupLoop,
}

impl Fixture {
    /// Groups of at most four rows.
    fn new() -> Self {
        let limits = WriterLimits {
            group_rows: 4.try_into().unwrap(),
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
    async fn run(self, writes: &[usize]) -> Vec<bool> {
        let writes = writes.iter().map(|rows| {
            let (writer, rows) = (self.writer.clone(), vec![row(); *rows]);
            async move { writer.write(rows).await.is_ok() }
        });
        let mut requests = Box::pin(join_all(writes));
        assert!(poll!(&mut requests).is_pending(), "nothing is written yet");
        drop(self.writer);
        let writing = self.groups.run(Box::new(self.sink));
        join(requests, writing).await.0
    }
}

#[tokio::test]
async fn what_has_queued_is_written_together_as_far_as_it_fits() {
    let fixture = Fixture::new();
    let sink = fixture.sink.clone();
    assert_eq!(fixture.run(&[3, 3, 3]).await, [true; 3]);
    assert_eq!(*sink.groups.lock().unwrap(), [3, 3, 3]);
}

#[tokio::test]
async fn a_request_of_more_rows_than_a_group_has_is_written_whole() {
    let fixture = Fixture::new();
    let sink = fixture.sink.clone();
    fixture.run(&[2, 9, 1]).await;
    assert_eq!(*sink.groups.lock().unwrap(), [2, 9, 1]);
}

#[tokio::test]
async fn who_waits_while_another_process_has_the_lock_is_refused_with_the_group() {
    let fixture = Fixture::new().fails([StoreError::Busy]);
    let (sink, gauge) = (fixture.sink.clone(), fixture.writer.gauge());
    assert_eq!(fixture.run(&[3, 3, 3]).await, [false; 3]);
    assert_eq!(*sink.groups.lock().unwrap(), [3]);
    assert_eq!(gauge.failures(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_the_database_is_tried_until_it_can_be_written() {
    let fixture = Fixture::new().fails([StoreError::Full, StoreError::Full]);
    let (told, gauge) = (fixture.told.clone(), fixture.writer.gauge());
    let kept = fixture.writer.clone();
    let running = tokio::spawn(async move { fixture.run(&[1]).await });
    while gauge.failures() != 0 || told.writes.lock().unwrap().len() < 2 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    drop(kept);
    assert_eq!(running.await.unwrap(), [false]);
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
    assert_eq!(fixture.run(&[1, 2, 1]).await, [true, false, true]);
    let events = told.writes.lock().unwrap().clone();
    assert!(events.contains(&WriteEvent::Late { rows: 2 }), "{events:?}");
    let fixture = Fixture::new().fails([StoreError::Late]);
    let told = fixture.told.clone();
    assert_eq!(fixture.run(&[3]).await, [false]);
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

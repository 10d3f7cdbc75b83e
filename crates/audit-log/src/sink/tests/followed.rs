//! A log that is followed, in a time that passes when nothing else does.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use proptest::{prelude::*, test_runner::Config};

use super::{
    super::*,
    log::{Does, NAME, Receiver, append, follow, follower, webhooks},
};
use crate::{
    event::Id,
    export::{Endpoint, Ocsf, Otlp, Product, Syslog},
    note::SignedNote,
    observer::{Event, Observer},
    search::{Page, Query},
    store::{Appending, EntryBatch, MemoryStore, Store, StoreError},
    tile::TilePath,
};

const MINUTE: Duration = Duration::from_secs(60);
const HALF_DAY: Duration = Duration::from_secs(12 * 3_600);
const WEEK: Duration = Duration::from_secs(7 * 24 * 3_600);

#[tokio::test(start_paused = true)]
async fn each_leaf_is_delivered_in_its_order_and_once_if_nothing_fails() {
    let (store, receiver) = (MemoryStore::new(), Receiver::doing([]));
    append(&store, 3).await;
    assert!(
        follow(follower(&store, webhooks(&receiver), 0), MINUTE)
            .await
            .is_none()
    );
    assert_eq!(receiver.taken(), [0, 1, 2]);
    assert_eq!(store.cursor(&NAME).await.unwrap(), Some(3));
    // Another process goes on where this one was.
    append(&store, 2).await;
    assert!(
        follow(follower(&store, webhooks(&receiver), 0), MINUTE)
            .await
            .is_none()
    );
    assert_eq!(receiver.taken(), [0, 1, 2, 3, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_cursor_behind_the_end_is_told_and_all_there_is_is_delivered() {
    #[derive(Debug, Default)]
    struct Told(Mutex<Vec<(String, u64, u64)>>);

    impl Observer for Told {
        fn observe(&self, event: &Event<'_>) {
            if let Event::CursorBeyond { cursor, found } = event {
                let told = (cursor.to_string(), found.next, found.size);
                self.0.lock().unwrap().push(told);
            }
        }
    }

    let (store, receiver) = (MemoryStore::new(), Receiver::doing([]));
    append(&store, 300).await;
    store.prune(256).await.unwrap();
    let first = store.first().await.unwrap();
    let told = Arc::new(Told::default());
    store.move_cursor(&NAME, 99_999).await.unwrap();
    let follower = follower(&store, webhooks(&receiver), 0);
    let follower = follower.observer(Arc::clone(&told) as _);
    let status = follower.status();
    assert!(follow(follower, MINUTE).await.is_none());
    assert_eq!(receiver.taken(), (first..300).collect::<Vec<_>>());
    assert_eq!(status.missed(), 0);
    assert_eq!(store.cursor(&NAME).await.unwrap(), Some(300));
    let expected = (NAME.to_string(), 99_999, 300);
    assert_eq!(*told.0.lock().unwrap(), [expected]);
}

#[tokio::test(start_paused = true)]
async fn what_is_appended_later_is_delivered_within_seconds() {
    let (store, receiver) = (MemoryStore::new(), Receiver::doing([]));
    let follower = follower(&store, webhooks(&receiver), 0);
    let status = follower.status();
    let running = tokio::spawn(follower.run());
    tokio::time::sleep(MINUTE).await;
    append(&store, 2).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(receiver.taken(), [0, 1]);
    assert_eq!(
        (status.next(), status.delivered(), status.failed()),
        (2, 2, 0)
    );
    assert_eq!(status.lag(Timestamp::MAX), Duration::ZERO);
    running.abort();
}

#[tokio::test(start_paused = true)]
async fn what_fails_hangs_and_recovers_is_tried_on_the_schedule() {
    let store = MemoryStore::new();
    append(&store, 2).await;
    let receiver = Receiver::doing([
        Does::Answer(500),
        Does::Hang,
        // A redirect is not followed, and no success.
        Does::Answer(302),
        Does::BreakOff,
        Does::Answer(404),
    ]);
    let follower = follower(&store, webhooks(&receiver), 0);
    let status = follower.status();
    assert!(follow(follower, HALF_DAY).await.is_none());
    assert_eq!(receiver.taken(), [0, 1]);
    // After the one that hung, 15 seconds more.
    let hours = [5, 5 * 60 + 15, 30 * 60, 2 * 3_600, 5 * 3_600, 0];
    assert_eq!(receiver.delays(), hours);
    assert_eq!((status.failed(), status.delivered()), (5, 2));
}

#[tokio::test(start_paused = true)]
async fn delays_are_up_to_a_tenth_longer() {
    let store = MemoryStore::new();
    append(&store, 1).await;
    let receiver = Receiver::doing([Does::Answer(500); 4]);
    assert!(
        follow(follower(&store, webhooks(&receiver), 0xff), HALF_DAY)
            .await
            .is_none()
    );
    assert_eq!(receiver.delays(), [5, 330, 33 * 60, 132 * 60]);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_may_ask_for_more_time_and_not_for_less_or_for_ever() {
    let store = MemoryStore::new();
    append(&store, 1).await;
    let receiver = Receiver::doing([
        Does::AnswerLater(429, 60),
        Does::AnswerLater(503, 1),
        Does::AnswerLater(503, u64::MAX),
    ]);
    assert!(
        follow(follower(&store, webhooks(&receiver), 0), 3 * HALF_DAY)
            .await
            .is_none()
    );
    assert_eq!(receiver.delays(), [60, 5 * 60, 24 * 3_600]);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_gone_gets_nothing_more() {
    let store = MemoryStore::new();
    append(&store, 2).await;
    let receiver = Receiver::doing([Does::Answer(200), Does::Answer(410)]);
    let end = follow(follower(&store, webhooks(&receiver), 0), WEEK).await;
    assert!(matches!(end, Some(FollowEnd::Gone)), "{end:?}");
    assert_eq!(receiver.attempts.lock().unwrap().len(), 2);
    assert_eq!(store.cursor(&NAME).await.unwrap(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn after_ten_attempts_it_ends_and_loses_nothing() {
    let store = MemoryStore::new();
    append(&store, 3).await;
    let all = [Does::Answer(200)]
        .into_iter()
        .chain([Does::Answer(500); 10]);
    let receiver = Receiver::doing(all);
    let first = follower(&store, webhooks(&receiver), 0);
    let status = first.status();
    let end = follow(first, 2 * WEEK).await;
    assert!(
        matches!(end, Some(FollowEnd::Exhausted { next: 1, .. })),
        "{end:?}"
    );
    assert_eq!(receiver.attempts.lock().unwrap().len(), 11);
    // It still lags.
    assert!(status.lag(Timestamp::MAX) > WEEK);
    assert!(
        follow(follower(&store, webhooks(&receiver), 0), MINUTE)
            .await
            .is_none()
    );
    assert_eq!(receiver.taken(), [0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn what_retention_took_away_is_a_gap_that_is_counted() {
    let (store, receiver) = (MemoryStore::new(), Receiver::doing([]));
    append(&store, 600).await;
    store.prune(300).await.unwrap();
    let first = store.first().await.unwrap();
    assert!(first > 0);
    let follower = follower(&store, webhooks(&receiver), 0);
    let status = follower.status();
    assert!(follow(follower, MINUTE).await.is_none());
    assert_eq!(receiver.taken(), (first..600).collect::<Vec<_>>());
    assert_eq!(status.missed(), first);
    assert_eq!(store.cursor(&NAME).await.unwrap(), Some(600));
}

#[tokio::test(start_paused = true)]
async fn lines_come_again_after_a_broken_connection() {
    let store = MemoryStore::new();
    append(&store, 200).await;
    let ocsf = Ocsf::new(Product::new("Example", "ingest-server", "0.1.0").unwrap());
    for is_syslog in [true, false] {
        let receiver = Receiver::doing([Does::BreakOff, Does::BreakOff]);
        let writer: Arc<dyn LineWriter> = Arc::clone(&receiver) as _;
        let sink: Box<dyn Sink> = if is_syslog {
            Box::new(SyslogSink::new(Syslog::new(ocsf.clone()), writer))
        } else {
            Box::new(OcsfLines::new(ocsf.clone(), writer))
        };
        store.move_cursor(&NAME, 0).await.unwrap();
        assert!(follow(follower(&store, sink, 0), MINUTE).await.is_none());
        let lines = String::from_utf8(receiver.lines.lock().unwrap().clone()).unwrap();
        let (begins, count) = if is_syslog {
            ("<109>1 ", lines.matches("<109>1 ").count())
        } else {
            ("{", lines.lines().count())
        };
        assert!(lines.contains(begins));
        assert_eq!(count, 200);
    }
}

/// Takes requests of OTLP, of which it keeps the number of records.
#[derive(Debug, Default)]
struct Collector(Mutex<Vec<usize>>);

#[async_trait::async_trait]
impl Transport for Collector {
    async fn request(
        &self,
        request: http::Request<bytes::Bytes>,
        _: &RequestLimits,
    ) -> Result<Reply, TransportError> {
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        let records = &body["resourceLogs"][0]["scopeLogs"][0]["logRecords"];
        self.0
            .lock()
            .unwrap()
            .push(records.as_array().unwrap().len());
        Ok(Reply::new(http::StatusCode::OK))
    }
}

#[tokio::test(start_paused = true)]
async fn records_are_sent_64_at_once() {
    let store = MemoryStore::new();
    append(&store, 300).await;
    let ocsf = Ocsf::new(Product::new("Example", "ingest-server", "0.1.0").unwrap());
    let otlp = Otlp::new(
        ocsf,
        Endpoint::parse("https://otel.example/v1/logs").unwrap(),
    );
    let collector = Arc::new(Collector::default());
    let sink = OtlpSink::new(otlp, Arc::clone(&collector) as _, AddressPolicy::public());
    assert!(
        follow(follower(&store, Box::new(sink), 0), MINUTE)
            .await
            .is_none()
    );
    assert_eq!(*collector.0.lock().unwrap(), [64, 64, 64, 64, 44]);
}

/// A store that is not there for the first calls.
#[derive(Debug)]
struct Flaky {
    store: MemoryStore,
    fails: Mutex<usize>,
}

impl Flaky {
    fn ask(&self) -> Result<(), StoreError> {
        let mut fails = self.fails.lock().unwrap();
        if *fails % 2 == 1 {
            *fails -= 1;
            return Err(StoreError::unavailable("the disk is away"));
        }
        *fails = fails.saturating_sub(1);
        Ok(())
    }
}

#[async_trait::async_trait]
impl Store for Flaky {
    async fn lock(&self, tenants: &[Id]) -> Result<Box<dyn Appending>, StoreError> {
        self.store.lock(tenants).await
    }

    async fn size(&self) -> Result<u64, StoreError> {
        self.store.size().await
    }

    async fn entries(
        &self,
        from: u64,
        most: std::num::NonZeroUsize,
    ) -> Result<EntryBatch, StoreError> {
        self.ask()?;
        self.store.entries(from, most).await
    }

    async fn tile(&self, path: TilePath) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.tile(path).await
    }

    async fn checkpoint(&self) -> Result<Option<SignedNote>, StoreError> {
        self.store.checkpoint().await
    }

    async fn publish(&self, checkpoint: &SignedNote) -> Result<(), StoreError> {
        self.store.publish(checkpoint).await
    }

    async fn search(&self, query: &Query) -> Result<Page, StoreError> {
        self.store.search(query).await
    }

    async fn personal(&self, n: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.personal(n).await
    }

    async fn erase(&self, leaves: &[u64]) -> Result<u64, StoreError> {
        self.store.erase(leaves).await
    }

    async fn prune(&self, before: u64) -> Result<u64, StoreError> {
        self.store.prune(before).await
    }

    async fn first(&self) -> Result<u64, StoreError> {
        self.store.first().await
    }

    async fn cursor(&self, name: &Id) -> Result<Option<u64>, StoreError> {
        self.ask()?;
        self.store.cursor(name).await
    }

    async fn move_cursor(&self, name: &Id, next: u64) -> Result<(), StoreError> {
        self.ask()?;
        self.store.move_cursor(name, next).await
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_is_waited_for() {
    let store = MemoryStore::new();
    append(&store, 5).await;
    let receiver = Receiver::doing([]);
    let flaky = Flaky {
        store: store.clone(),
        fails: Mutex::new(11),
    };
    let clock = crate::clock::FakeClock::default();
    let entropy = crate::entropy::SystemEntropy::new();
    let follower = Follower::new(
        NAME,
        Arc::new(flaky),
        webhooks(&receiver),
        Arc::new(clock),
        Arc::new(entropy),
    );
    assert!(follow(follower, 10 * MINUTE).await.is_none());
    assert_eq!(receiver.taken(), [0, 1, 2, 3, 4]);
}

proptest! {
    #![proptest_config(Config { cases: 64, failure_persistence: None, ..Config::default() })]

    #[test]
    fn whenever_it_is_dropped_each_leaf_comes_and_in_order(
        runs in prop::collection::vec((0_u64..5, 0_u64..700, prop::collection::vec(0_u8..6, 0..4)), 1..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let (taken, leaves) = runtime.block_on(async {
            let (store, receiver) = (MemoryStore::new(), Receiver::doing([]));
            let mut leaves = 0;
            for (more, seconds, does) in runs {
                append(&store, more).await;
                leaves += more;
                receiver.does.lock().unwrap().extend(does.into_iter().map(|does| match does {
                    0 => Does::Answer(500),
                    1 => Does::Hang,
                    2 => Does::BreakOff,
                    _ => Does::Answer(200),
                }));
                follow(follower(&store, webhooks(&receiver), 0), Duration::from_secs(seconds)).await;
            }
            receiver.does.lock().unwrap().clear();
            follow(follower(&store, webhooks(&receiver), 0), MINUTE).await;
            (receiver.taken(), leaves)
        });
        // What comes again begins with one that came already, and leaves none out.
        let mut next = 0;
        for n in taken {
            prop_assert!(n <= next, "{n} came before {next}");
            next = next.max(n + 1);
        }
        prop_assert_eq!(next, leaves);
    }
}

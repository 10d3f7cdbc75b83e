//! Ordinary writes, as time passes.

use portcullis_audit_log::{
    event::{Id, Leaf},
    note::SigningKey,
    store::MemoryStore,
};
use secrecy::SecretBox;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep};

use super::*;
use crate::audit::actions::{EVENT_WRITE, LEAD_WRITE};

/// The time of the runtime, which is paused.
#[derive(Debug)]
struct Paused(Instant);

impl Paused {
    fn new() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "what gathers waits by the runtime's timers"
        )]
        Self(Instant::now())
    }
}

impl Clock for Paused {
    fn wall(&self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A log in memory, both of its tasks running.
async fn opened(writes: WriteRecords) -> AuditLog {
    let seed = SecretBox::new(Box::new([7; 32]));
    let origin = || "test.example/audit".parse().unwrap();
    let key = SigningKey::from_seed(origin(), &seed).unwrap();
    let store = Arc::new(MemoryStore::new());
    let builder = Audit::builder(store, origin(), Id::constant("a")).key(key);
    let (audit, writing) = builder.open().await.unwrap();
    let folder = AuditFolder::new("audit".into(), "a".to_owned());
    let identity = AuditIdentity {
        origin: origin(),
        keys: Vec::new(),
    };
    let clock = Arc::new(Paused::new());
    let (log, gathering) = AuditLog::new(audit, folder, identity, clock, writes);
    tokio::spawn(writing);
    tokio::spawn(gathering);
    log
}

/// Of each write on record, the key, the action and the number of records.
async fn told(log: &AuditLog) -> Vec<(String, String, u64)> {
    let entries = log.tail().entries(0).await.unwrap();
    let leaves = entries.iter().map(|(_, bytes)| Leaf::parse(bytes).unwrap());
    let writes = leaves.filter(|leaf| leaf.action().ends_with(".write"));
    let mut told: Vec<_> = writes
        .map(|leaf| {
            (
                leaf.actor_id().to_owned(),
                leaf.action().to_owned(),
                leaf.count(),
            )
        })
        .collect();
    told.sort();
    told
}

fn rows<const N: usize>(rows: [(&str, &str, u64); N]) -> Vec<(String, String, u64)> {
    let rows = rows.map(|(kid, action, count)| (kid.to_owned(), action.to_owned(), count));
    rows.to_vec()
}

#[tokio::test(start_paused = true)]
async fn writes_are_told_as_it_is_configured_and_sums_once_their_minute_is_over() {
    let each = rows([
        ("a", "event.write", 1),
        ("a", "event.write", 2),
        ("a", "lead.write", 1),
        ("b", "event.write", 5),
    ]);
    let sums = rows([
        ("a", "event.write", 3),
        ("a", "lead.write", 1),
        ("b", "event.write", 5),
    ]);
    for (writes, before, after) in [
        (WriteRecords::Off, Vec::new(), Vec::new()),
        (WriteRecords::Each, each.clone(), each),
        (WriteRecords::Summary, Vec::new(), sums),
    ] {
        let log = opened(writes).await;
        for (kid, action, count) in [
            ("a", EVENT_WRITE, 2),
            ("a", LEAD_WRITE, 1),
            ("b", EVENT_WRITE, 5),
            ("a", EVENT_WRITE, 1),
            ("a", EVENT_WRITE, 0),
        ] {
            log.wrote(Written {
                tenant: "acme",
                kid,
                action,
                count,
            });
        }
        sleep(Duration::from_secs(59)).await;
        assert_eq!(told(&log).await, before, "{writes:?}");
        // It is looked each second.
        sleep(Duration::from_secs(2)).await;
        assert_eq!(told(&log).await, after, "{writes:?}");
        sleep(Duration::from_secs(120)).await;
        assert_eq!(told(&log).await, after, "{writes:?}");
    }
}

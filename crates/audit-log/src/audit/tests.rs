//! What is recorded with, on a store in memory that fails and hangs when it is told to.

mod aged;
mod anchored;
mod begun;
mod bounds;
mod failing;
mod flaky;
mod hanging;
mod known;
mod nodes;
mod noted;
mod parts;
#[cfg(unix)]
mod put_back;

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use tokio::task::JoinHandle;

use self::{
    flaky::FlakyStore,
    known::{Known, LOGIN, READ, draft, key, origin},
};
use super::*;
use crate::{
    checkpoint::Checkpoint,
    clock::FakeClock,
    event::{Leaf, Outcome},
    store::MemoryStore,
};

/// A log that is open, and what writes it.
struct Open {
    audit: Audit,
    store: Arc<FlakyStore>,
    clock: Arc<FakeClock>,
    seen: Arc<Known>,
    writer: JoinHandle<()>,
}

/// Opens the log in a store, with more than the least.
async fn open_with(
    kept: MemoryStore,
    more: impl FnOnce(AuditBuilder) -> AuditBuilder,
) -> Result<Open, OpenError> {
    let store = Arc::new(FlakyStore::new(kept));
    let clock = Arc::new(FakeClock::default());
    let seen = Arc::new(Known::default());
    let builder = Audit::builder(store.clone(), origin(), Id::constant("node-a"))
        .key(key())
        .clock(clock.clone())
        .observer(seen.clone());
    let (audit, writing) = more(builder).open().await?;
    Ok(Open {
        audit,
        store,
        clock,
        seen,
        writer: tokio::spawn(writing),
    })
}

async fn open() -> Open {
    let opened = open_with(MemoryStore::new(), |builder| builder).await;
    opened.expect("an empty log opens")
}

impl Open {
    /// All leaves, once everything is written.
    async fn closed(self) -> Vec<Vec<u8>> {
        self.audit.close();
        self.writer.await.expect("the writer does not panic");
        leaves(&*self.store).await
    }
}

async fn leaves(store: &dyn Store) -> Vec<Vec<u8>> {
    let batch = store.entries(0, NonZeroUsize::MAX).await;
    let batch = batch.expect("the store answers");
    batch.iter().map(|(_, leaf)| leaf.to_vec()).collect()
}

/// The time of the runtime, which is paused in these tests.
#[expect(
    clippy::disallowed_methods,
    reason = "a log waits by the runtime's timers"
)]
pub(super) fn now() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

/// Action, outcome and detail of each leaf.
fn said(leaves: &[Vec<u8>]) -> Vec<String> {
    let said = leaves.iter().map(|bytes| {
        let leaf = Leaf::parse(bytes).expect("it is a leaf");
        let detail = leaf.detail().map(|detail| format!(" {detail}"));
        let outcome = leaf.outcome().as_str();
        let action = leaf.action();
        format!("{action} {outcome}{}", detail.unwrap_or_default())
    });
    said.collect()
}

#[tokio::test(start_paused = true)]
async fn a_log_says_that_it_is_opened_and_closed_and_is_published_then() {
    let log = open().await;
    let store = log.store.clone();
    let recorded = log.audit.record(draft(READ), None).await;
    let recorded = recorded.expect("the store works");
    assert_eq!(recorded.n, 1);
    let leaves = log.closed().await;
    let expected = [
        "audit.opened success",
        "lead.read success",
        "audit.closed success",
    ];
    assert_eq!(said(&leaves), expected);
    let leaf = Leaf::parse(&leaves[1]).expect("it is a leaf");
    assert_eq!((leaf.id(), leaf.delivery()), (recorded.id, Delivery::Must));

    let note = store.checkpoint().await.expect("the store answers");
    let keys = [key().verifying_key().clone()];
    let verified = Checkpoint::verify(&note.expect("it is published"), &origin(), &keys);
    assert_eq!(verified.map(|(checkpoint, _)| checkpoint.size()), Ok(3));
}

#[tokio::test(start_paused = true)]
async fn after_it_was_closed_nothing_is_recorded() {
    let log = open().await;
    log.audit.close();
    let refused = log.audit.record(draft(READ), None).await;
    assert_eq!(refused, Err(Unrecorded::Closed));
    log.audit.note(draft(READ), None);
    assert_eq!(log.seen.dropped(), [(READ, DropReason::Closed)]);
    assert!(!log.audit.status().is_open);
}

#[tokio::test(start_paused = true)]
async fn who_record_at_once_share_a_group() {
    let log = open().await;
    let tasks: Vec<_> = (0..512)
        .map(|_| {
            let audit = log.audit.clone();
            tokio::spawn(async move { audit.record(draft(READ), None).await })
        })
        .collect();
    for task in tasks {
        let recorded = task.await.expect("no panic");
        assert!(recorded.is_ok());
    }
    assert!(log.seen.groups() <= 3, "{} groups", log.seen.groups());
    assert_eq!(log.closed().await.len(), 514);
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_has_everything_that_was_recorded_before() {
    let log = open().await;
    for n in 1..4 {
        let recorded = log.audit.record(draft(LOGIN), None).await;
        assert_eq!(recorded.map(|recorded| recorded.n), Ok(n));
        let note = log.audit.checkpoint().await.expect("it is published");
        let checkpoint = Checkpoint::parse(note.unverified_text());
        assert_eq!(checkpoint.map(|checkpoint| checkpoint.size()), Ok(n + 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_is_published_each_minute_in_which_there_was_something() {
    let log = open().await;
    log.audit.note(draft(READ), None);
    assert_eq!(log.audit.status().published, 0);
    tokio::time::sleep(Duration::from_secs(63)).await;
    assert_eq!(log.audit.status().published, 2);
    let count = log.seen.published();
    tokio::time::sleep(Duration::from_secs(630)).await;
    assert_eq!(log.seen.published(), count);
}

#[tokio::test(start_paused = true)]
async fn each_hour_the_log_says_that_it_is_there() {
    let log = open().await;
    for _ in 0..2 {
        log.clock.advance(Duration::from_secs(60 * 60));
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    let said = said(&log.closed().await);
    let beats = said
        .iter()
        .filter(|said| *said == "audit.heartbeat success");
    assert_eq!(beats.count(), 2, "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn a_log_of_a_key_that_left_the_configuration_opens_only_if_it_is_known_as_an_old_one() {
    let kept = MemoryStore::new();
    let log = open_with(kept.clone(), |builder| builder)
        .await
        .expect("empty");
    log.closed().await;
    let old = key().verifying_key().clone();
    let rotated = || {
        Audit::builder(Arc::new(kept.clone()), origin(), Id::constant("node-a"))
            .key(known::key_of(0x61))
    };
    let refused = rotated().open().await.err().expect("it is not opened");
    let expected = UnknownKey {
        signed_by: format!("{}+{}", origin(), old.id()),
    };
    assert!(old.to_string().starts_with(&expected.signed_by));
    assert!(refused.to_string().contains(&expected.signed_by));
    assert!(matches!(refused, OpenError::UnknownKey(found) if found == expected));
    // Known as one that signs no more, it opens, and after the next checkpoint that key is needed no longer.
    let (audit, writing) = rotated().old_key(old).open().await.expect("it is known");
    audit.close();
    writing.await;
    assert!(rotated().open().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_log_whose_checkpoint_was_changed_does_not_open() {
    let kept = MemoryStore::new();
    let log = open_with(kept.clone(), |builder| builder).await;
    log.expect("empty").closed().await;
    let note = kept.checkpoint().await.expect("it answers");
    let note = note.expect("it is published").to_string();
    let at = note.len() - 8;
    let other = if note.as_bytes()[at] == b'A' {
        "B"
    } else {
        "A"
    };
    let changed = [&note[..at], other, &note[at + 1..]].concat();
    let changed = SignedNote::parse(changed.as_bytes()).expect("it is a note");
    kept.publish(&changed).await.expect("the tree is the same");
    let refused = open_with(kept, |builder| builder).await.err();
    assert!(
        matches!(refused, Some(OpenError::OtherLog(_))),
        "{refused:?}"
    );
}

//! Two processes on one file, one of which is killed; and a file that somebody else has locked.

use std::{
    fs::File,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use portcullis_audit_log::{
    audit::{Audit, MUST_WAIT, Unrecorded},
    event::Id,
    observer::{Event, Observer},
    store::{Group, MAX_GROUP_EVENTS, SqliteStore, Store as _, StoreError},
};
use sqlx::Executor as _;
use tempfile::TempDir;
use tokio::runtime::Handle;

use super::*;
use crate::{
    shared_checks::check,
    shared_log::{TENANTS, append, draft, event, key, origin},
    writers::one_of_two_is_killed,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_two_processes_acknowledged_is_there_when_one_was_killed() {
    let folder = TempDir::new().unwrap();
    for round in 1..=3 {
        let place = folder.path().to_str().unwrap().to_owned();
        let writing = move || one_of_two_is_killed(&place, 100 + 31 * round);
        let acknowledged = tokio::task::spawn_blocking(writing).await.unwrap();
        let store = open(folder.path()).await;
        let rows = store.index_rows(Handle::current());
        check(Arc::new(store), rows, &acknowledged).await;
    }
}

/// Counts what the store said.
#[derive(Debug, Default)]
struct Failures(AtomicUsize);

impl Observer for Failures {
    fn observe(&self, event: &Event<'_>) {
        if let Event::StoreFailed { error } = event {
            assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
            self.0.fetch_add(1, SeqCst);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_file_is_locked_nothing_is_recorded_and_afterwards_all_is() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    let failures = Arc::new(Failures::default());
    let builder = Audit::builder(Arc::new(store.clone()), origin(), Id::constant("node-a"))
        .key(key())
        .observer(failures.clone());
    let (audit, writing) = builder.open().await.unwrap();
    let writing = tokio::spawn(writing);
    audit.record(draft(0), None).await.unwrap();

    let pool = pool(options(folder.path()));
    let mut holder = pool.acquire().await.unwrap();
    holder.execute("BEGIN EXCLUSIVE").await.unwrap();
    assert!(matches!(
        store.lock(&[]).await,
        Err(StoreError::Unavailable(_))
    ));
    let refused = tokio::time::timeout(MUST_WAIT * 2, audit.record(draft(1), None)).await;
    let refused = refused.unwrap();
    assert!(
        matches!(refused, Err(Unrecorded::TimedOut | Unrecorded::Unavailable)),
        "{refused:?}"
    );
    let told = tokio::time::timeout(MUST_WAIT * 5, async {
        while failures.0.load(SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    told.await.unwrap();
    // Who waits for nothing loses nothing.
    audit.note(draft(2), None);
    holder.execute("COMMIT").await.unwrap();
    let recorded = tokio::time::timeout(MUST_WAIT * 5, async {
        loop {
            if let Ok(recorded) = audit.record(draft(3), None).await {
                return recorded;
            }
        }
    });
    assert!(recorded.await.unwrap().n >= 2);
    audit.close();
    writing.await.unwrap();
    assert_eq!(store.size().await.unwrap(), 5);
}

async fn append_group(store: &SqliteStore) {
    let taken = store.lock(&TENANTS).await.unwrap();
    let mut group = Group::new(taken.state());
    for n in (group.first()..).take(MAX_GROUP_EVENTS) {
        group.push(&event(n), None).unwrap();
    }
    taken.commit(&group).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_file_that_another_writes_without_a_pause_has_it_next() {
    let folder = TempDir::new().unwrap();
    // Each with connections and files of its own, as processes have.
    let (busy, other) = (open(folder.path()).await, open(folder.path()).await);
    let is_over = Arc::new(AtomicBool::new(false));
    let writing = tokio::spawn({
        let is_over = Arc::clone(&is_over);
        async move {
            while !is_over.load(SeqCst) {
                append_group(&busy).await;
            }
        }
    });
    let mut most = 0;
    for _ in 0..10 {
        let before = other.size().await.unwrap();
        let taken = other.lock(&[]).await.unwrap();
        most = most.max(taken.state().edge().size() - before);
        drop(taken);
        // Until the other is at it again.
        let written = other.size().await.unwrap();
        while other.size().await.unwrap() == written {
            tokio::task::yield_now().await;
        }
    }
    is_over.store(true, SeqCst);
    writing.await.unwrap();
    // The group that was being written, and one that was begun as it ended.
    let groups = most / MAX_GROUP_EVENTS as u64;
    assert!(groups <= 2, "{groups} groups were written meanwhile");
}

/// It has the place in the file beside the database, and never comes to have the lock.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_stopped_while_it_is_next_keeps_nobody_else_from_writing_for_more_than_half_a_second()
 {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    append(&store, 1, |_| None).await;
    let next = File::open(folder.path().join(format!("{FILE}-turn"))).unwrap();
    next.lock().unwrap();
    for _ in 0..3 {
        let taken = tokio::time::timeout(Duration::from_millis(500), store.lock(&TENANTS)).await;
        drop(taken.unwrap().unwrap());
    }
    next.unlock().unwrap();
    append(&store, 1, |_| None).await;
}

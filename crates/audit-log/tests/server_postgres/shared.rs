//! Two processes on one log, one of which is killed; a server that crashes, hangs and comes back; a process that stops
//! while it has the log.

use std::time::Duration;

use portcullis_audit_log::{
    audit::{Audit, MUST_WAIT, Unrecorded},
    event::Id,
};
use tokio::{runtime::Handle, time::timeout};

use super::*;
use crate::{
    shared_checks::check,
    shared_log::{append, draft, key, origin},
    writers::one_of_two_is_killed,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_two_processes_acknowledged_is_there_when_one_was_killed() {
    let server = Server::start();
    let store = migrated(server.schema("shared").await).await;
    for round in 1..=2 {
        let place = server.port().to_string();
        let writing = move || one_of_two_is_killed(&place, 150 + 31 * round);
        let acknowledged = tokio::task::spawn_blocking(writing).await.unwrap();
        let rows = store.index_rows(Handle::current());
        check(Arc::new(store.clone()), rows, &acknowledged).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_server_is_away_nothing_is_recorded_and_afterwards_all_is() {
    let server = Server::start();
    let store = Arc::new(migrated(server.schema("shared").await).await);
    let builder = Audit::builder(store.clone(), origin(), Id::constant("node-a")).key(key());
    let (audit, writing) = builder.open().await.unwrap();
    let writing = tokio::spawn(writing);
    let recorded = audit.record(draft(0), None).await.unwrap();
    assert_eq!(recorded.n, 1);

    server.crash();
    let refused = timeout(MUST_WAIT * 2, audit.record(draft(1), None)).await;
    let refused = refused.unwrap();
    assert!(
        matches!(refused, Err(Unrecorded::TimedOut | Unrecorded::Unavailable)),
        "{refused:?}"
    );
    let unavailable = store.lock(&[]).await;
    assert!(
        matches!(unavailable, Err(StoreError::Unavailable(_))),
        "{unavailable:?}"
    );
    // Who waits for nothing loses nothing.
    audit.note(draft(2), None);
    server.resume();
    let recorded = timeout(MUST_WAIT * 10, async {
        loop {
            if let Ok(recorded) = audit.record(draft(3), None).await {
                return recorded;
            }
        }
    });
    assert!(recorded.await.unwrap().n >= 2);
    audit.close();
    writing.await.unwrap();
    let said = store.size().await.unwrap();
    // Opened, two recorded, one noted, closed; and of what was refused, whether it was written, nobody knew.
    assert!((5..=6).contains(&said), "{said}");
}

/// It keeps nobody from the log: the server ends it.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_stops_with_the_log_in_its_hands_loses_it() {
    let server = Server::start();
    let stopped = migrated(server.schema("shared").await).await;
    let store = migrated(server.schema("shared").await).await;
    let taken = stopped.lock(&shared_log::TENANTS).await.unwrap();
    let next = timeout(Duration::from_secs(20), async {
        append(&store, 3, |_| None).await;
    });
    next.await.unwrap();
    let mut group = Group::new(taken.state());
    group.push(&shared_log::event(0), None).unwrap();
    let refused = taken.commit(&group).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    assert_eq!(store.size().await.unwrap(), 3);
}

/// What others of the pool write is written, and not in a transaction that a caller has left behind.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_goes_away_leaves_the_log_to_others() {
    let server = Server::start();
    let store = migrated(server.schema("shared").await).await;
    for micros in [0, 200, 500, 1_000, 2_000] {
        let taking = async { store.lock(&shared_log::TENANTS).await };
        drop(timeout(Duration::from_micros(micros), taking).await);
        let next = timeout(Duration::from_secs(20), append(&store, 1, |_| None));
        next.await.unwrap();
    }
    assert_eq!(store.size().await.unwrap(), 5);
}

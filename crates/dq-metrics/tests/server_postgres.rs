//! The history in PostgreSQL, on a real server: its contract, several processes, a server that goes and comes.

#[path = "server_postgres/dropped_callers.rs"]
mod dropped_callers;
#[path = "server_postgres/server.rs"]
mod server;

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use portcullis_dq_metrics::{
    clock::UnixMillis,
    conformance,
    history::{
        Day, Days, GroupBy, HistoryBatch, HistoryError, Hour, PostgresHistory, QualityHistory as _,
        SampleChange, SampleQuery, TallyKey, TallyQuery, WriterId,
    },
    sample::{Sample, SampleSlot},
};
use sqlx::PgPool;

use self::server::Server;

async fn migrated(pool: PgPool) -> PostgresHistory {
    let history = PostgresHistory::new(pool);
    history.migrate().await.expect("the tables are made");
    history
}

fn batch(writer: u8, sequence: u64, tenants: u32) -> HistoryBatch {
    let mut batch = HistoryBatch::new(WriterId::from_bytes([writer; 16]), sequence);
    for tenant in 0..tenants {
        let key = TallyKey::new(
            Hour::new(240),
            &format!("t{tenant}"),
            "lead.created",
            "accepted",
        );
        batch.tallies.insert(key, 1);
    }
    batch
}

fn tenth_day() -> Days {
    Days::new(Day::new(10), Day::new(10)).expect("in order")
}

async fn events(history: &PostgresHistory) -> u64 {
    let query = TallyQuery::new(tenth_day(), GroupBy::Day);
    let sums = history.tallies(&query).await.expect("it answers");
    sums.iter().map(|sum| sum.events).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_a_quality_history() {
    let (server, made) = (Server::start(), AtomicUsize::new(0));
    conformance::quality_history(async || {
        let schema = format!("clause_{}", made.fetch_add(1, Ordering::Relaxed));
        Arc::new(migrated(server.schema(&schema).await).await) as _
    })
    .await;
    assert!(made.into_inner() > 5);
}

/// A lock of the session would keep all other processes from their tables for as long as the pool has its connection.
#[tokio::test(flavor = "multi_thread")]
async fn tables_of_a_later_release_are_refused_and_no_lock_is_left() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let history = migrated(pool.clone()).await;
    let later = sqlx::query("UPDATE dq_metrics_migrations SET version = version + 100");
    later.execute(&pool).await.expect("it is there");
    let refused = history.migrate().await;
    assert!(
        matches!(refused, Err(HistoryError::Migration(_))),
        "{refused:?}"
    );
    let released = async {
        let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'";
        while sqlx::query_scalar::<_, i64>(locks)
            .fetch_one(&pool)
            .await
            .expect("it answers")
            > 0
        {}
    };
    // The transaction ends behind the caller, when its connection goes back.
    let waited = tokio::time::timeout(Duration::from_secs(20), released).await;
    waited.expect("no lock is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_start_and_write_at_once_lose_nothing_and_wait_for_nobody_for_ever() {
    let server = Server::start();
    let pools = join_all((0..6).map(|_| server.schema("shared"))).await;
    let histories = join_all(pools.into_iter().map(migrated)).await;
    let writes = histories
        .iter()
        .zip(0..)
        .map(|(history, writer)| async move {
            for sequence in 1..=10 {
                let batch = batch(writer, sequence, 50);
                history.write(&batch).await.expect("it is added");
            }
        });
    join_all(writes).await;
    assert_eq!(events(&histories[0]).await, 6 * 10 * 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_crashes_and_comes_back_has_each_batch_once() {
    let server = Server::start();
    let history = migrated(server.schema("shared").await).await;
    history.write(&batch(1, 1, 10)).await.expect("it is added");
    server.crash();
    let refused = history.write(&batch(1, 2, 10)).await;
    assert!(
        matches!(refused, Err(HistoryError::Unavailable(_))),
        "{refused:?}"
    );
    server.resume();
    for sequence in [1, 2, 2] {
        let mut outcome = history.write(&batch(1, sequence, 10)).await;
        // Connections from before the crash are found broken one by one.
        for _ in 0..10 {
            if outcome.is_ok() {
                break;
            }
            outcome = history.write(&batch(1, sequence, 10)).await;
        }
        outcome.expect("it is added");
    }
    assert_eq!(events(&history).await, 20);
}

/// A broken payload may have a U+0000, which no text of PostgreSQL holds.
#[tokio::test(flavor = "multi_thread")]
async fn a_sample_with_a_nul_is_kept_without_it() {
    let server = Server::start();
    let history = migrated(server.schema("shared").await).await;
    let mut sample = Sample::new("read.unreadable", 1, UnixMillis::new(0));
    sample.excerpt = "a\0b".to_owned();
    let slot = SampleSlot::new("read.unreadable", 0).expect("there is such a slot");
    let mut batch = batch(1, 1, 0);
    batch.samples = vec![SampleChange::new(Day::new(10), slot, Some(sample))];
    history.write(&batch).await.expect("it is added");
    let query = SampleQuery::new(tenth_day(), NonZeroU32::MAX);
    let samples = history.samples(&query).await.expect("it answers");
    assert_eq!(samples[0].excerpt, "a\u{fffd}b");
}

//! The contract, in memory and with several processes on one file.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};

use super::*;
use crate::{
    conformance,
    history::{Day, Days, GroupBy, Hour, TallyKey, WriterId},
};

async fn in_memory_pool() -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect("sqlite::memory:")
        .await
        .unwrap()
}

async fn in_memory() -> SqliteHistory {
    let history = SqliteHistory::new(in_memory_pool().await);
    history.migrate().await.unwrap();
    history
}

#[tokio::test]
async fn it_keeps_the_contract() {
    conformance::quality_history(async || Arc::new(in_memory().await) as _).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_start_and_write_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let open = |n: u8| {
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("history.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(Duration::from_secs(30));
        let history = SqliteHistory::new(SqlitePoolOptions::new().connect_lazy_with(options));
        async move {
            history.migrate().await.unwrap();
            for sequence in 1..=20 {
                let mut batch = HistoryBatch::new(WriterId::from_bytes([n; 16]), sequence);
                let key = TallyKey::new(Hour::new(240), "acme", "lead.created", "accepted");
                batch.tallies.insert(key, 1);
                history.write(&batch).await.unwrap();
            }
            history
        }
    };
    let histories = join_all((0..4).map(open)).await;
    let days = Days::new(Day::new(10), Day::new(10)).unwrap();
    let query = TallyQuery::new(days, GroupBy::Day);
    let sums = histories[0].tallies(&query).await.unwrap();
    assert_eq!(sums.iter().map(|sum| sum.events).collect::<Vec<_>>(), [80]);
}

#[tokio::test]
async fn what_an_earlier_version_wrote_is_there_after_a_migration() {
    let history = SqliteHistory::new(in_memory_pool().await);
    let mut transaction = history.begin().await.unwrap();
    let first = migrator(&MIGRATIONS[..1]);
    first
        .run_direct(None, &mut *transaction, false)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    let row =
        "INSERT INTO dq_metrics_tally VALUES (240, 'acme', 'lead.created', 'accepted', '', 7)";
    sqlx::query(row).execute(&history.pool).await.unwrap();
    history.migrate().await.unwrap();
    let days = Days::new(Day::new(10), Day::new(10)).unwrap();
    let sums = history.tallies(&TallyQuery::new(days, GroupBy::Day)).await;
    assert_eq!(sums.unwrap()[0].events, 7);
    // What it did not keep is not known, rather than none.
    let query = HistoryQuery::new(days);
    assert_eq!(history.receipts(&query).await.unwrap(), []);
    assert_eq!(history.versions(&query).await.unwrap(), []);
}

#[tokio::test]
async fn a_row_that_cannot_be_is_told_and_not_guessed() {
    let history = in_memory().await;
    let damage = "INSERT INTO dq_metrics_tally VALUES (240, 'a', 'b', 'accepted', x'00', 1)";
    sqlx::query(damage).execute(&history.pool).await.unwrap();
    let days = Days::new(Day::new(10), Day::new(10)).unwrap();
    let sums = history.tallies(&TallyQuery::new(days, GroupBy::Day)).await;
    assert!(matches!(sums, Err(HistoryError::Corrupt(_))), "{sums:?}");
}

//! Whatever a transaction fails of, the next one on the same pool is not concerned.

use std::{future::poll_fn, path::Path, pin::pin, task::Poll, time::Duration};

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};
use tempfile::TempDir;
use tokio::time::timeout;

use super::WriteTransaction;

const DEADLINE: Duration = Duration::from_secs(20);

/// One connection, so that one which is not given back, or in a wrong state, is missed at once.
async fn pool(folder: &TempDir) -> SqlitePool {
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(DEADLINE)
        .connect_with(options(folder.path()))
        .await
        .unwrap();
    let tables = "CREATE TABLE parent (id INTEGER PRIMARY KEY);
        CREATE TABLE child (parent INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
        CREATE TABLE note (text TEXT NOT NULL)";
    sqlx::raw_sql(tables).execute(&pool).await.unwrap();
    pool
}

fn options(folder: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(folder.join("test.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
}

async fn write(pool: &SqlitePool, statement: &'static str) -> Result<(), sqlx::Error> {
    let mut transaction = WriteTransaction::begin(pool).await?;
    sqlx::query(statement).execute(&mut *transaction).await?;
    transaction.commit().await
}

async fn notes(pool: &SqlitePool) -> i64 {
    let count = sqlx::query_scalar("SELECT count(*) FROM note");
    count.fetch_one(pool).await.unwrap()
}

fn code(outcome: Result<(), sqlx::Error>) -> String {
    let error = outcome.unwrap_err();
    error.as_database_error().unwrap().code().unwrap().into()
}

/// Drops a write that has not ended when it was polled this many times.
async fn is_written(pool: &SqlitePool, polls: i64) -> bool {
    let mut writing = pin!(write(pool, NOTE));
    let mut left = polls;
    let outcome = poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        writing.as_mut().poll(context).map(Some)
    });
    outcome.await.map(Result::unwrap).is_some()
}

const NOTE: &str = "INSERT INTO note VALUES ('a note')";

#[tokio::test]
async fn a_full_database_is_written_again_once_there_is_room() {
    let folder = TempDir::new().unwrap();
    let pool = pool(&folder).await;
    let full = options(folder.path()).pragma("max_page_count", "1");
    pool.set_connect_options(full);
    pool.acquire().await.unwrap().close().await.unwrap();
    for _ in 0..3 {
        let large = "INSERT INTO note VALUES (hex(zeroblob(100000)))";
        assert_eq!(code(write(&pool, large).await), "13");
    }
    pool.set_connect_options(options(folder.path()));
    write(&pool, NOTE).await.unwrap();
    assert_eq!(notes(&pool).await, 1);
}

#[tokio::test]
async fn a_commit_that_fails_ends_its_transaction() {
    let folder = TempDir::new().unwrap();
    let pool = pool(&folder).await;
    for _ in 0..3 {
        let orphan = "INSERT INTO child VALUES (1)";
        assert_eq!(code(write(&pool, orphan).await), "787");
        write(&pool, NOTE).await.unwrap();
    }
    let orphans = sqlx::query_scalar("SELECT count(*) FROM child").fetch_one(&pool);
    assert_eq!((orphans.await.unwrap(), notes(&pool).await), (0_i64, 3));
}

#[tokio::test]
async fn a_rollback_takes_back_and_keeps_the_connection() {
    let folder = TempDir::new().unwrap();
    let pool = pool(&folder).await;
    let temporary = sqlx::query("CREATE TEMP TABLE of_this_connection (id INTEGER)");
    temporary.execute(&pool).await.unwrap();
    let mut transaction = WriteTransaction::begin(&pool).await.unwrap();
    sqlx::query(NOTE).execute(&mut *transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    assert_eq!(notes(&pool).await, 0);
    let still_there = "INSERT INTO of_this_connection VALUES (1)";
    write(&pool, still_there).await.unwrap();
}

#[tokio::test]
async fn a_caller_that_goes_away_at_any_moment_blocks_nobody() {
    let folder = TempDir::new().unwrap();
    let pool = pool(&folder).await;
    let (mut moments, mut given_up) = (0, 0);
    // How many moments a write has is for the scheduler to say; one that has more than three will come.
    let tries = async {
        while moments <= 3 {
            moments = 0;
            while !is_written(&pool, moments).await {
                moments += 1;
                given_up += 1;
                let next = timeout(DEADLINE, write(&pool, NOTE)).await;
                next.unwrap().unwrap();
            }
        }
    };
    timeout(DEADLINE, tries)
        .await
        .expect("no write had more than three moments");
    assert!(notes(&pool).await > given_up);
}

//! `PostgresKeyStore` on a real server: its contracts, several processes, and what servers and networks do to it.
#![expect(
    clippy::unwrap_used,
    reason = "what a test does not expect is to fail it"
)]

mod caches;
mod conforms;
mod faults;
mod indexes;
mod migrations;
mod order;
mod races;
mod rows;
mod server;

use std::time::Duration;

use portcullis_apikey_cache::{
    PepperVersion, Tier,
    store::{
        KeyHash, KeyRecord, PostgresKeyStore, RecordState, RecordVersion, RowMac, StoreError,
        UnixMillis, Verifier,
    },
};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::time::{sleep, timeout};

use self::server::Server;

/// How long anything that has to happen may take.
const DEADLINE: Duration = Duration::from_secs(30);

async fn migrated(pool: PgPool) -> PostgresKeyStore {
    let store = PostgresKeyStore::new(pool);
    store.migrate().await.unwrap();
    store
}

async fn run(pool: &PgPool, statement: impl Into<String>) {
    let statement = sqlx::raw_sql(AssertSqlSafe(statement.into()));
    statement.execute(pool).await.unwrap();
}

async fn number(pool: &PgPool, select: &'static str) -> i64 {
    sqlx::query_scalar(select).fetch_one(pool).await.unwrap()
}

/// Until a select gives this number.
async fn until(pool: &PgPool, select: &'static str, expected: i64) {
    let is_so = async {
        while number(pool, select).await != expected {
            sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = timeout(DEADLINE, is_so).await;
    assert!(waited.is_ok(), "`{select}` has not become {expected}");
}

/// How many wait for somebody who has locked something.
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";

fn record(number: u64) -> KeyRecord {
    KeyRecord {
        kid: format!("{number:022}").parse().unwrap(),
        tenant: "tenant-7".parse().unwrap(),
        tier: Tier::FREE,
        scopes: "".parse().unwrap(),
        version: RecordVersion::FIRST,
        not_before: None,
        expires_at: None,
        created_at: ISSUED,
        last_used: None,
        state: RecordState::Active(Verifier {
            pepper: PepperVersion::try_from(1).unwrap(),
            hash: KeyHash::new([1; 32]),
            row_mac: RowMac::new([2; 32]),
        }),
    }
}

/// Record 1 as it is once another has replaced it.
fn ended() -> KeyRecord {
    KeyRecord {
        version: RecordVersion::new(2),
        expires_at: Some(UnixMillis::new(1_767_225_700_000)),
        ..record(1)
    }
}

const ISSUED: UnixMillis = UnixMillis::new(1_767_225_600_000);

/// All that can be printed of a failure.
fn words(error: &StoreError) -> String {
    let mut words = format!("{error} {error:?}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        words += &format!(" {error} {error:?}");
        cause = error.source();
    }
    words
}

#[track_caller]
fn assert_unavailable<T: std::fmt::Debug>(outcome: Result<T, StoreError>, code: &str) {
    let refused = outcome.unwrap_err();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    assert!(words(&refused).contains(code), "{}", words(&refused));
}

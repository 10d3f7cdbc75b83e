//! The keys' tables cannot be read: keys in memory are good for their time, and then nobody is told that a good
//! key is wrong.

use std::{
    fs::{self, File},
    io::{Seek as _, SeekFrom, Write as _},
    time::{Duration, Instant},
};

use reqwest::StatusCode;
use sqlx::AssertSqlSafe;

use crate::{
    harness::{ALL_SCOPES, Data, Key, Server, readiness},
    key_checks::{KeyCheck, check_key, wait_until_followed},
};

/// How long memory is trusted after changes were last read.
const CONFIRMED: Duration = Duration::from_secs(3);
/// How much of that is left at least: the last reading may be older by one, on a machine that is busy.
const LEAST: Duration = Duration::from_secs(2);
/// The bound on the end of a failure once its cause is gone.
const RECOVERY: Duration = Duration::from_secs(1);

const TABLES: [&str; 2] = ["apikey_cache_api_key", "apikey_cache_outbox"];

/// Takes tables away, or puts them back.
async fn rename(data: &Data, from: &str, to: &str) {
    let mut database = data.connect().await;
    let statements =
        TABLES.map(|table| format!("ALTER TABLE {from}{table} RENAME TO {to}{table};"));
    let statements = format!("BEGIN IMMEDIATE; {} COMMIT;", statements.concat());
    sqlx::raw_sql(AssertSqlSafe(statements))
        .execute(&mut database)
        .await
        .unwrap();
}

/// Checks a key until it cannot be checked for as long as memory is trusted: it was good for as long after the fault
/// as it had to be, and for no longer than it might. The machine may be busy between two checks, or in one.
async fn assert_good_for_its_time(server: &Server, key: &Key, fault: Instant) {
    let mut last_good = Duration::ZERO;
    let mut first_unchecked = None;
    while fault.elapsed() < 2 * CONFIRMED {
        let began = fault.elapsed();
        match check_key(server, key).await {
            KeyCheck::Accepted => last_good = began,
            KeyCheck::Refused => panic!("a good key was refused after {began:?}"),
            KeyCheck::Unavailable => {
                first_unchecked = first_unchecked.or_else(|| Some(fault.elapsed()));
            }
        }
    }
    assert_eq!(check_key(server, key).await, KeyCheck::Unavailable);
    assert!(last_good <= CONFIRMED, "{last_good:?}");
    assert!(first_unchecked >= Some(LEAST), "{first_unchecked:?}");
}

#[tokio::test]
async fn keys_in_memory_are_good_for_their_time_and_then_unchecked_until_the_tables_are_back() {
    let data = Data::new();
    let server = Server::start_on(&data);
    wait_until_followed(&server).await;
    let cached = server.issue("acme", &ALL_SCOPES).await;
    let unused = server.issue("acme", &ALL_SCOPES).await;
    assert_eq!(check_key(&server, &cached).await, KeyCheck::Accepted);

    for _ in 0..2 {
        rename(&data, "", "gone_").await;
        let fault = Instant::now();
        assert_good_for_its_time(&server, &cached, fault).await;
        assert_eq!(check_key(&server, &unused).await, KeyCheck::Unavailable);
        let (status, components) = readiness(&server).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{components}");

        rename(&data, "gone_", "").await;
        let back = Instant::now();
        assert_eq!(check_key(&server, &cached).await, KeyCheck::Accepted);
        assert!(back.elapsed() < RECOVERY, "{:?}", back.elapsed());
        wait_until_followed(&server).await;
        // It is in memory again.
        assert_eq!(check_key(&server, &cached).await, KeyCheck::Accepted);
    }
    assert_eq!(check_key(&server, &unused).await, KeyCheck::Accepted);
    let metrics = server.metrics().await;
    assert!(metrics["apikey_faults_total{kind=\"store_failed\"}"] > 0.0);
    assert!(
        !metrics
            .iter()
            .any(|(name, count)| name.starts_with("apikey_refusals_total{") && *count > 0.0)
    );
}

/// Such faults do not go away while the process runs.
#[tokio::test]
async fn keys_in_a_damaged_table_are_unchecked_and_not_refused() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let root = "SELECT (SELECT rootpage FROM sqlite_schema WHERE name = 'apikey_cache_api_key'), \
                (SELECT page_size FROM pragma_page_size)";
    let (page, size): (i64, i64) = sqlx::query_as(root)
        .fetch_one(&mut data.connect().await)
        .await
        .unwrap();
    assert!(server.terminate().success());
    let intact = fs::read(data.database()).unwrap();
    let mut file = File::options().write(true).open(data.database()).unwrap();
    let at = u64::try_from((page - 1) * size).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(&vec![0xff; usize::try_from(size).unwrap()])
        .unwrap();
    drop(file);

    let server = Server::start_on(&data);
    for _ in 0..3 {
        assert_eq!(check_key(&server, &key).await, KeyCheck::Unavailable);
    }
    assert!(server.metrics().await["database_corruption_total"] >= 1.0);
    assert!(server.terminate().success());
    fs::write(data.database(), intact).unwrap();
    let server = Server::start_on(&data);
    assert_eq!(check_key(&server, &key).await, KeyCheck::Accepted);
}

#[tokio::test]
async fn keys_of_a_file_that_was_replaced_or_emptied_are_never_refused() {
    let changes: [fn(&Data); 3] = [
        |data| fs::remove_file(data.database()).unwrap(),
        |data| {
            let copy = data.path().join("copy");
            fs::copy(data.database(), &copy).unwrap();
            fs::rename(copy, data.database()).unwrap();
        },
        |data| {
            let file = File::options().write(true).open(data.database());
            file.unwrap().set_len(0).unwrap();
        },
    ];
    for change in changes {
        let server = Server::start();
        wait_until_followed(&server).await;
        let cached = server.issue("acme", &ALL_SCOPES).await;
        let unused = server.issue("acme", &ALL_SCOPES).await;
        assert_eq!(check_key(&server, &cached).await, KeyCheck::Accepted);
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut server.data().connect().await)
            .await
            .unwrap();
        change(server.data());
        let changed = Instant::now();
        while changed.elapsed() < CONFIRMED + RECOVERY {
            for key in [&cached, &unused] {
                assert_ne!(check_key(&server, key).await, KeyCheck::Refused);
            }
        }
    }
}

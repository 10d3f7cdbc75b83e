//! What a load and a revocation take, beside the bare statements that they cannot do without, on a server that does not
//! wait for its disk. `cargo nextest run … --success-output final` prints it.

use portcullis_apikey_cache::store::KeyStore as _;
use sqlx::Row as _;
use tokio::time::Instant;

use super::*;

const COUNT: u64 = 400;

/// The median of what is done to so many keys, in microseconds.
#[expect(clippy::disallowed_methods, reason = "what is measured is real time")]
async fn median(of: impl AsyncFn(u64)) -> u128 {
    let mut taken = Vec::new();
    for number in 0..COUNT {
        let begun = Instant::now();
        of(number).await;
        taken.push(begun.elapsed().as_micros());
    }
    taken.sort_unstable();
    taken[taken.len() / 2]
}

/// As many round trips as there have to be: twice the time is for what they carry, and for a machine that is busy.
#[tokio::test]
async fn a_load_and_a_revocation_take_what_their_statements_take() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    for number in 0..2 * COUNT {
        store.insert(&record(number)).await.unwrap();
    }
    let load = median(async |number| {
        store.load(&record(number).kid).await.unwrap();
    });
    let bare_load = median(async |number| {
        let row = sqlx::query("SELECT * FROM apikey_cache_api_key WHERE kid = $1");
        let row = row.bind(record(number).kid.to_string()).fetch_one(&pool);
        row.await.unwrap().get::<Vec<u8>, _>("hash");
    });
    let revoke = median(async |number| {
        store.revoke(&record(number).kid, ISSUED).await.unwrap();
    });
    let bare_revoke = median(async |number| {
        let mut transaction = pool.begin().await.unwrap();
        for statement in [
            "UPDATE apikey_cache_api_key SET status = 'revoked', version = version + 1,
             pepper_version = NULL, hash = NULL, row_mac = NULL WHERE kid = $1",
            "INSERT INTO apikey_cache_outbox (seq, kind, kid, version, at)
             SELECT max(seq) + 1, 'record', $1, 2, 0 FROM apikey_cache_outbox",
        ] {
            let statement = sqlx::query(statement);
            let statement = statement.bind(record(COUNT + number).kid.to_string());
            statement.execute(&mut *transaction).await.unwrap();
        }
        transaction.commit().await.unwrap();
    });
    let (load, bare_load) = (load.await, bare_load.await);
    let (revoke, bare_revoke) = (revoke.await, bare_revoke.await);
    println!("load {load} µs, bare statement {bare_load} µs");
    println!("revoke {revoke} µs, bare transaction {bare_revoke} µs");
    assert!(load <= 2 * bare_load, "{load} µs, not {bare_load}");
    assert!(revoke <= 2 * bare_revoke, "{revoke} µs, not {bare_revoke}");
}

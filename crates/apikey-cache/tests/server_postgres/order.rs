//! Numbers of changes are seen in the order in which they were given out, however long a transaction takes.

use portcullis_apikey_cache::{
    feed::{ChangeFeed as _, FeedSeq},
    store::KeyStore as _,
};

use super::*;

/// One change has its number and is not committed while the next one begins. Were the second committed first, a
/// reader would go on from its number, and never read the first.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_held_open_keeps_later_ones_from_being_read_before_it() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    // The first stops behind its append, until the test lets it go.
    run(
        &pool,
        "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$
         BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END $$;
         CREATE TRIGGER stop AFTER INSERT ON apikey_cache_outbox FOR EACH ROW
         WHEN (NEW.kid = '0000000000000000000001') EXECUTE FUNCTION stop()",
    )
    .await;
    let mut holder = pool.begin().await.unwrap();
    let hold = sqlx::query("SELECT pg_advisory_xact_lock(7)");
    hold.execute(&mut *holder).await.unwrap();

    let (one, other) = (store.clone(), store.clone());
    let first = tokio::spawn(async move { one.insert(&record(1)).await });
    until(&pool, WAITING, 1).await;
    let second = tokio::spawn(async move { other.insert(&record(2)).await });
    until(&pool, WAITING, 2).await;
    let read = async |after| {
        let page = store.changes_after(FeedSeq::new(after), 10.try_into().unwrap());
        let page = page.await.unwrap();
        let numbers = page.changes.iter().map(|change| change.seq.value());
        (page.head.value(), numbers.collect::<Vec<_>>())
    };
    assert_eq!(read(0).await, (0, vec![]));

    holder.rollback().await.unwrap();
    assert_eq!(first.await.unwrap().unwrap().seq, FeedSeq::new(1));
    assert_eq!(second.await.unwrap().unwrap().seq, FeedSeq::new(2));
    assert_eq!(read(0).await, (2, vec![1, 2]));
}

/// Reads on while four processes write, as a cache does, and never sees a number that is not the next.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_goes_on_from_what_it_has_seen_misses_nothing() {
    let server = Server::start();
    let store = migrated(server.schema("shared").await).await;
    let mut writers = Vec::new();
    for writer in 0..4 {
        let store = migrated(server.schema("shared").await).await;
        writers.push(tokio::spawn(async move {
            for number in 0..50 {
                let record = record(writer * 1_000 + number);
                store.insert(&record).await.unwrap();
                store.revoke(&record.kid, ISSUED).await.unwrap();
            }
        }));
    }
    let mut seen = 0;
    let all = async {
        while seen < 400 {
            let page = store.changes_after(FeedSeq::new(seen), 100.try_into().unwrap());
            let page = page.await.unwrap();
            for change in &page.changes {
                seen += 1;
                assert_eq!(change.seq.value(), seen);
            }
            assert!(page.head.value() >= seen);
        }
    };
    timeout(DEADLINE, all).await.unwrap();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(server.deadlocks(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sequence_number_is_never_given_out_twice() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    store.insert(&record(1)).await.unwrap();
    store.insert(&record(2)).await.unwrap();
    // Neither after the changes were dropped, nor by one that was taken back, nor after a crash.
    run(&pool, "DELETE FROM apikey_cache_outbox").await;
    store.insert(&record(2)).await.unwrap_err();
    server.crash();
    server.resume();
    let mut third = store.insert(&record(3)).await;
    while third.is_err() {
        third = store.insert(&record(3)).await;
    }
    assert_eq!(third.unwrap().seq, FeedSeq::new(3));
}

//! Connections that are ended, servers that go and come, locks of others, and callers that go away.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    task::Poll,
};

use portcullis_apikey_cache::{
    feed::{ChangeFeed as _, FeedSeq},
    store::{KeyStore, Revoked},
};

use super::*;

/// What the database has of both records, and how many changes.
async fn seen(store: &PostgresKeyStore) -> (u64, bool, u64) {
    let old = store.load(&record(1).kid).await.unwrap().unwrap();
    let new = store.load(&record(2).kid).await.unwrap();
    let head = store.head().await.unwrap();
    (old.version.value(), new.is_some(), head.value())
}

const BEFORE: (u64, bool, u64) = (1, false, 1);
const ROTATED: (u64, bool, u64) = (2, true, 3);

/// Stops the one who appends a second change, until the lock 7 is free.
const STOP: &str = "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END $$;
     CREATE TRIGGER stop AFTER INSERT ON apikey_cache_outbox FOR EACH ROW WHEN (NEW.seq = 2)
     EXECUTE FUNCTION stop()";

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_ended_in_the_middle_of_a_rotation_leaves_nothing_of_it() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    store.insert(&record(1)).await.unwrap();
    run(&pool, STOP).await;
    let mut holder = pool.begin().await.unwrap();
    let hold = sqlx::query("SELECT pg_advisory_xact_lock(7)");
    hold.execute(&mut *holder).await.unwrap();
    let rotating = store.clone();
    let rotation = tokio::spawn(async move { rotating.rotate(&ended(), &record(2)).await });
    until(&pool, WAITING, 1).await;
    run(
        &pool,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
    )
    .await;
    assert_unavailable(rotation.await.unwrap(), "57P01");
    holder.rollback().await.unwrap();
    assert_eq!(seen(&store).await, BEFORE);
    let again = store.rotate(&ended(), &record(2)).await;
    assert!(again.unwrap().is_some());
    assert_eq!(seen(&store).await, ROTATED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_and_comes_needs_no_restart_and_keeps_what_was_answered() {
    let server = Server::start();
    // A setting that gives up what was answered in a crash.
    let settings = [("synchronous_commit", "off")];
    let store = migrated(server.schema_with("shared", &settings).await).await;
    store.insert(&record(1)).await.unwrap();
    // Everything until now is on disk, so that nothing else makes the last change so.
    let pool = server.schema("shared").await;
    run(&pool, "CHECKPOINT").await;
    let revoked = store.revoke(&record(1).kid, ISSUED).await.unwrap();
    assert!(matches!(revoked, Some(Revoked::Now(_))));
    server.crash();
    let refused = store.load(&record(1).kid).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    server.resume();
    let loaded = store.load(&record(1).kid).await.unwrap().unwrap();
    assert!(matches!(loaded.state, RecordState::Revoked));
    assert_eq!(store.head().await.unwrap(), FeedSeq::new(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_of_somebody_else_is_not_waited_for_without_end() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    let settings = [("lock_timeout", "50ms")];
    let hasty = PostgresKeyStore::new(server.schema_with("shared", &settings).await);
    store.insert(&record(1)).await.unwrap();
    let mut holder = pool.begin().await.unwrap();
    let hold = sqlx::query("LOCK TABLE apikey_cache_feed IN SHARE MODE");
    hold.execute(&mut *holder).await.unwrap();
    // What the pool says of the time stands.
    let second = Duration::from_secs(1);
    let kid = record(1).kid;
    let revoked = timeout(4 * second, hasty.revoke(&kid, ISSUED));
    assert_unavailable(revoked.await.unwrap(), "55P03");
    let revoked = timeout(10 * second, store.revoke(&kid, ISSUED));
    assert_unavailable(revoked.await.unwrap(), "55P03");
    // What only reads does not wait.
    assert_eq!(seen(&store).await, BEFORE);
    holder.rollback().await.unwrap();
    store.revoke(&kid, ISSUED).await.unwrap();
    assert_eq!(seen(&store).await, (2, false, 2));
}

/// Polls it so many times, if it does not end before.
async fn polled<F: Future>(mut future: Pin<&mut F>, polls: u32) -> Option<F::Output> {
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// Each statement that changes one of the store's tables takes its time, so that a caller who goes away has begun it.
const SLOW: &str = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN PERFORM pg_sleep(0.05); RETURN NULL; END $$;
     CREATE TRIGGER slow BEFORE INSERT OR UPDATE OR DELETE ON apikey_cache_api_key EXECUTE FUNCTION slow();
     CREATE TRIGGER slow BEFORE INSERT OR UPDATE OR DELETE ON apikey_cache_outbox EXECUTE FUNCTION slow();
     CREATE TRIGGER slow BEFORE INSERT OR UPDATE OR DELETE ON apikey_cache_reader EXECUTE FUNCTION slow()";

#[tokio::test]
async fn a_rotation_whose_caller_goes_away_at_any_moment_is_whole_or_not_there() {
    let server = Server::start();
    let (mut polls, mut undone) = (0, 0);
    loop {
        let schema = format!("polls_{polls}");
        let pool = server.schema(&schema).await;
        let store = migrated(pool.clone()).await;
        store.insert(&record(1)).await.unwrap();
        run(&pool, SLOW).await;
        let (old, new) = (ended(), record(2));
        let has_ended = polled(pin!(store.rotate(&old, &new)), polls).await;
        let has_ended = has_ended.is_some_and(|rotated| rotated.unwrap().is_some());
        // Whatever the dropped one was in, the next one is let in, and nothing is left open.
        let third = record(3);
        let next = timeout(DEADLINE, store.insert(&third));
        next.await.unwrap().unwrap();
        let open = "SELECT count(*) FROM pg_stat_activity
                    WHERE state LIKE 'idle in transaction%' OR state = 'active' AND pid <> pg_backend_pid()";
        until(&pool, open, 0).await;
        let (version, is_there, head) = seen(&store).await;
        if (version, is_there, head) == (1, false, 2) {
            assert!(!has_ended, "after {polls} polls");
            undone += 1;
        } else {
            assert_eq!(
                (version, is_there, head),
                (2, true, 4),
                "after {polls} polls"
            );
        }
        pool.close().await;
        if has_ended {
            break;
        }
        polls += 1;
    }
    // Before the first statement, and in each of the four.
    assert!(undone > 4, "of {polls}");
}

/// As a process that is suspended, or cut off from the server, while it holds the number of its change.
#[tokio::test]
async fn a_process_that_stops_in_the_middle_holds_nobody_up_for_long() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    store.insert(&record(1)).await.unwrap();
    run(&pool, STOP).await;
    let mut holder = pool.begin().await.unwrap();
    let hold = sqlx::query("SELECT pg_advisory_xact_lock(7)");
    hold.execute(&mut *holder).await.unwrap();
    let stopping = store.clone();
    let (second, third) = (record(2), record(3));
    let mut stopped = stopping.insert(&second);
    tokio::select! {
        inserted = &mut stopped => panic!("{inserted:?}"),
        () = until(&pool, WAITING, 1) => {}
    }
    // It has its number, and does nothing any more.
    holder.rollback().await.unwrap();
    let idle = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'";
    until(&pool, idle, 1).await;
    let next = store.insert(&third).await.unwrap();
    assert_eq!(next.seq, FeedSeq::new(2));
    assert_unavailable(stopped.await, "25P03");
    assert!(store.load(&second.kid).await.unwrap().is_none());
}

/// Those who share the pool must not be given a connection that is inside a transaction.
#[tokio::test]
async fn a_caller_that_goes_away_leaves_no_transaction_to_others_of_the_pool() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    run(&pool, SLOW).await;
    run(&pool, "CREATE TABLE of_others (id INTEGER)").await;
    let of_others = server.schema("shared").await;
    let mut polls = 0;
    while polled(pin!(store.trim(ISSUED)), polls).await.is_none() {
        polls += 1;
        for _ in 0..8 {
            run(&pool, "INSERT INTO of_others VALUES (1)").await;
        }
        let written = number(&of_others, "SELECT count(*) FROM of_others").await;
        assert_eq!(written, i64::from(polls) * 8);
    }
    // Before the first statement, and in both.
    assert!(polls > 2);
}

//! Who waits for whom, and what it sees afterwards.

use std::{fmt::Debug, time::Duration};

use portcullis_keyring::store::{ChangeError, InsertError};
use tokio::{task::JoinHandle, time};

use super::*;

/// Until so many wait for somebody who has locked something.
async fn waiting(pool: &PgPool, number: i64) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
                   WHERE wait_event_type = 'Lock' AND datname = current_database()";
    for _ in 0..3000 {
        let now: i64 = sqlx::query_scalar(waiting)
            .fetch_one(pool)
            .await
            .expect("it answers");
        if now == number {
            return;
        }
        time::sleep(Duration::from_millis(10)).await;
    }
    panic!("there are not {number} who wait");
}

async fn done<E: Debug>(task: JoinHandle<Result<(), E>>) {
    task.await.expect("no panic").expect("it is done");
}

/// Each is in the middle of what it does while the next begins: all are counted in one row, which somebody holds.
#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_a_rewrap_and_an_erasure_wait_for_each_other_and_not_in_a_circle() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    // The row of the one that is promoted lies before that of the other.
    for key in [key(1, KeyState::Pending), key(2, KeyState::Primary)] {
        store.insert(&key).await.expect("it is added");
    }
    let mut holder = pool.begin().await.expect("a transaction");
    sqlx::query("UPDATE keyring_change SET number = number + 1")
        .execute(&mut *holder)
        .await
        .expect("it counts");
    let (old, new, at) = (KeyId::new(2), KeyId::new(1), SystemTime::UNIX_EPOCH);
    let promoting = store.clone();
    let promotion = tokio::spawn(async move { promoting.promote(old, new, at).await });
    waiting(&pool, 1).await;
    let rewrapping = store.clone();
    let rewrap = tokio::spawn(async move {
        let [was, is] = [7, 8].map(|byte| WrappedKey::from_bytes(vec![byte; 61]));
        rewrapping.rewrap(new, &was, &is).await
    });
    waiting(&pool, 2).await;
    let erasing = store.clone();
    let erasure = tokio::spawn(async move { erasing.erase_tenant(&tenant(), at).await });
    waiting(&pool, 3).await;
    holder.commit().await.expect("it is committed");
    done(promotion).await;
    // Both wait for what the promotion holds. A key that is erased first cannot be wrapped again.
    let rewrapped = rewrap.await.expect("no panic");
    assert!(
        matches!(rewrapped, Ok(()) | Err(ChangeError::Conflict)),
        "{rewrapped:?}"
    );
    done(erasure).await;
    assert_eq!(server.deadlocks(), 0);
}

/// It has begun before the erasure is committed, and must not be answered from what was there then.
#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_is_erased_meanwhile_gets_no_key_whatever_the_isolation_level() {
    let server = Server::start();
    for isolation in ["read committed", "repeatable read", "serializable"] {
        let pool = server
            .schema_at(&isolation.replace(' ', "_"), isolation)
            .await;
        let level: String = sqlx::query_scalar("SHOW transaction_isolation")
            .fetch_one(&pool)
            .await
            .expect("it answers");
        assert_eq!(level, isolation);
        let store = migrated(pool.clone()).await;
        let mut erasure = pool.begin().await.expect("a transaction");
        for statement in [
            "SELECT pg_advisory_xact_lock(hashtextextended('keyring tenant-7', 0))",
            "INSERT INTO keyring_erased_tenant (tenant) VALUES ('tenant-7')",
        ] {
            let statement = sqlx::query(statement).execute(&mut *erasure).await;
            statement.expect("it is erased");
        }
        let adding = store.clone();
        let addition = tokio::spawn(async move { adding.insert(&key(1, KeyState::Primary)).await });
        waiting(&pool, 1).await;
        erasure.commit().await.expect("it is committed");
        let refused = addition.await.expect("no panic");
        assert!(
            matches!(refused, Err(InsertError::TenantErased)),
            "{isolation}: {refused:?}"
        );
        store.check().await.expect("everything is there");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_a_dek_store_whatever_the_isolation_level() {
    let (server, made) = (Server::start(), AtomicUsize::new(0));
    conformance::dek_store(async || {
        let schema = format!("clause_{}", made.fetch_add(1, Ordering::Relaxed));
        let pool = server.schema_at(&schema, "serializable").await;
        Arc::new(migrated(pool).await) as _
    })
    .await;
}

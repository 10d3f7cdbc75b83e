//! Several processes on one database change the same keys at once.

use portcullis_apikey_cache::{
    feed::{ChangeFeed as _, FeedSeq},
    store::{KeyStore as _, Revoked},
};

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn of_processes_that_rotate_one_key_at_once_one_does() {
    let server = Server::start();
    let store = migrated(server.schema("shared").await).await;
    store.insert(&record(1)).await.unwrap();
    let mut rotations = Vec::new();
    for number in 2..10 {
        let store = migrated(server.schema("shared").await).await;
        rotations.push(tokio::spawn(async move {
            store.rotate(&ended(), &record(number)).await
        }));
    }
    let mut rotated = 0;
    for rotation in rotations {
        rotated += usize::from(rotation.await.unwrap().unwrap().is_some());
    }
    assert_eq!(rotated, 1);
    assert_eq!(store.head().await.unwrap(), FeedSeq::new(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_processes_that_revoke_or_rotate_one_key_at_once_one_does_and_the_key_has_ended() {
    let server = Server::start();
    let store = migrated(server.schema("shared").await).await;
    for round in 0..10 {
        let of_round = |number: u64| KeyRecord {
            kid: record(round * 100 + number).kid,
            ..record(number)
        };
        store.insert(&of_round(1)).await.unwrap();
        let old = KeyRecord {
            kid: of_round(1).kid,
            ..ended()
        };
        let head = store.head().await.unwrap().value();
        let (one, other) = (store.clone(), store.clone());
        let (kid, new) = (old.kid, of_round(2));
        let rotation = tokio::spawn(async move { one.rotate(&old, &new).await });
        let revocation = tokio::spawn(async move { other.revoke(&kid, ISSUED).await });
        let rotated = rotation.await.unwrap().unwrap().is_some();
        let revoked = revocation.await.unwrap().unwrap().unwrap();
        assert!(matches!(revoked, Revoked::Now(_)), "{revoked:?}");
        let appended = store.head().await.unwrap().value() - head;
        assert_eq!(appended, if rotated { 3 } else { 1 });
        let loaded = store.load(&kid).await.unwrap().unwrap();
        assert!(matches!(loaded.state, RecordState::Revoked));
        let successor = store.load(&of_round(2).kid).await.unwrap();
        assert_eq!(successor.is_some(), rotated);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_processes_that_add_one_kid_at_once_one_does() {
    let server = Server::start();
    let store = migrated(server.schema("shared").await).await;
    let additions = (0..8).map(|_| {
        let store = store.clone();
        tokio::spawn(async move { store.insert(&record(1)).await })
    });
    let mut added = 0;
    for addition in additions.collect::<Vec<_>>() {
        match addition.await.unwrap() {
            Ok(_) => added += 1,
            Err(StoreError::KidTaken) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(added, 1);
    assert_eq!(store.head().await.unwrap(), FeedSeq::new(1));
}

/// In opposite orders, as two processes have them in their memory.
#[tokio::test(flavor = "multi_thread")]
async fn processes_that_date_the_same_keys_do_not_wait_for_each_other_in_a_circle() {
    let server = Server::start();
    let pool = server.schema("shared").await;
    let store = migrated(pool.clone()).await;
    let mut holder = pool.begin().await.unwrap();
    let mut dated = Vec::new();
    for number in 0..500 {
        store.insert(&record(number)).await.unwrap();
    }
    // Both have begun before either can end.
    let hold = sqlx::query("SELECT kid FROM apikey_cache_api_key ORDER BY kid LIMIT 1 FOR UPDATE");
    hold.execute(&mut *holder).await.unwrap();
    for reversed in [false, true] {
        let mut uses: Vec<_> = (0..500)
            .map(|number| (record(number).kid, UnixMillis::new(number.cast_signed())))
            .collect();
        if reversed {
            uses.reverse();
        }
        let store = store.clone();
        dated.push(tokio::spawn(
            async move { store.update_last_used(&uses).await },
        ));
    }
    until(&pool, WAITING, 2).await;
    holder.rollback().await.unwrap();
    for dated in dated {
        dated.await.unwrap().unwrap();
    }
    assert_eq!(server.deadlocks(), 0);
    let latest = store.load(&record(499).kid).await.unwrap().unwrap();
    assert_eq!(latest.last_used, Some(UnixMillis::new(499)));
}

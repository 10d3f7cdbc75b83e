//! Rotations that are broken off: both rows and both changes are there, or none of them.

use std::{future::poll_fn, pin::pin, task::Poll};

use super::*;

fn ended() -> KeyRecord {
    KeyRecord {
        version: RecordVersion::new(2),
        expires_at: Some(UnixMillis::new(1_767_225_700_000)),
        ..record(1)
    }
}

/// What the file has of both records, and how many changes.
async fn seen(store: &SqliteKeyStore) -> (String, bool, u64) {
    let old = store.load(&record(1).kid).await.unwrap();
    let new = store.load(&record(2).kid).await.unwrap();
    let head = store.head().await.unwrap();
    (format!("{old:?}"), new.is_some(), head.value())
}

/// Drops a rotation that has not ended when it was polled this many times.
async fn is_rotated(store: &SqliteKeyStore, polls: u32) -> bool {
    let (old, new) = (ended(), record(2));
    let mut rotating = pin!(store.rotate(&old, &new));
    let mut left = polls;
    let outcome = poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        rotating.as_mut().poll(context).map(Some)
    });
    outcome
        .await
        .is_some_and(|rotated| rotated.unwrap().is_some())
}

#[tokio::test]
async fn a_rotation_that_is_dropped_at_any_moment_is_whole_or_not_there() {
    let (mut polls, mut undone) = (0, 0);
    loop {
        let file = File::new();
        let store = file.store().await;
        store.insert(&record(1)).await.unwrap();
        let before = seen(&store).await;
        let ended = is_rotated(&store, polls).await;
        // Whatever the dropped one was in, the next one is let in.
        let wait = store.update_last_used(&[]);
        timeout(DEADLINE, wait).await.unwrap().unwrap();
        let after = seen(&store).await;
        if after == before {
            assert!(!ended, "after {polls} polls");
            undone += 1;
        } else {
            assert!(after.0.contains("RecordVersion(2)"), "after {polls} polls");
            assert!(after.1 && after.2 == 3, "after {polls} polls");
        }
        if ended {
            break;
        }
        polls += 1;
    }
    assert!(undone > 1, "of {polls}");
}

#[tokio::test]
async fn a_rotation_whose_changes_cannot_be_appended_is_not_made() {
    for which in [1, 2] {
        let file = File::new();
        let store = file.store().await;
        store.insert(&record(1)).await.unwrap();
        let before = seen(&store).await;
        let kid = record(which).kid;
        let broken = format!(
            "CREATE TRIGGER broken BEFORE INSERT ON apikey_cache_outbox WHEN NEW.kid = '{kid}'
             BEGIN SELECT RAISE(ABORT, ''); END"
        );
        let pool = file.pool().await;
        sqlx::query(AssertSqlSafe(broken))
            .execute(&pool)
            .await
            .unwrap();
        let refused = store.rotate(&ended(), &record(2)).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))));
        assert_eq!(seen(&store).await, before);
        sqlx::query("DROP TRIGGER broken")
            .execute(&pool)
            .await
            .unwrap();
        let rotated = store.rotate(&ended(), &record(2)).await;
        assert!(rotated.unwrap().is_some());
    }
}

#[tokio::test]
async fn of_processes_that_rotate_one_key_at_once_one_does() {
    let file = File::new();
    file.store().await.insert(&record(1)).await.unwrap();
    let mut rotations = Vec::new();
    for number in 2..10 {
        let store = file.store().await;
        rotations.push(tokio::spawn(async move {
            store.rotate(&ended(), &record(number)).await
        }));
    }
    let mut rotated = 0;
    for rotation in rotations {
        rotated += usize::from(rotation.await.unwrap().unwrap().is_some());
    }
    assert_eq!(rotated, 1);
    assert_eq!(file.store().await.head().await.unwrap(), FeedSeq::new(3));
}

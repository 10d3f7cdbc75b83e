//! Files that somebody else takes away.

use super::{records::signed, *};

#[tokio::test]
async fn a_journal_that_was_deleted_is_written_again_from_memory() {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    append(&store, 300).await.unwrap();
    append(&store, 7).await.unwrap();
    eventually("in place", || folder.path("log/tile/0/000").exists()).await;
    fs::remove_dir_all(folder.path("journal")).unwrap();
    // Two seconds would be enough on a machine that does nothing else.
    folder.told.wait_for("JournalMoved").await;
    folder.told.wait_for("JournalReopened").await;
    append(&store, 3).await.unwrap();
    assert_has(&store, 310).await;
    store.close().await.unwrap();
    let store = folder.open_plainly().await;
    assert_has(&store, 310).await;
    assert_eq!(
        store.personal(306).await.unwrap(),
        Some(records::sealed(306))
    );
}

#[tokio::test]
async fn a_folder_that_was_deleted_is_told_and_nothing_is_acknowledged() {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    append(&store, 1).await.unwrap();
    fs::remove_dir_all(folder.dir.path()).unwrap();
    folder.told.wait_for("Gone").await;
    append(&store, 1).await.unwrap_err();
    fs::create_dir(folder.dir.path()).unwrap();
    append(&store, 1).await.unwrap_err();
}

/// It may come back, and nothing is to be in its place then.
#[tokio::test]
async fn a_folder_that_was_moved_away_is_not_made_again_and_comes_back_as_it_was() {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    append(&store, 1).await.unwrap();
    let edge = append(&store, 300).await.unwrap();
    let away = folder.dir.path().with_extension("away");
    fs::rename(folder.dir.path(), &away).unwrap();
    folder.told.wait_for("Gone").await;
    append(&store, 1).await.unwrap_err();
    store.publish(&signed(&edge)).await.unwrap_err();
    store.erase(&[0]).await.unwrap_err();
    store.prune(256).await.unwrap_err();
    store.close().await.unwrap_err();
    assert!(!folder.dir.path().exists());
    fs::rename(&away, folder.dir.path()).unwrap();
    assert_has(&folder.open_plainly().await, 301).await;
}

/// On a machine that has something else to do it may take longer, and does not each time.
#[tokio::test]
async fn a_folder_that_was_moved_away_is_told_within_2_s() {
    let mut took = Duration::MAX;
    for _ in 0..3 {
        let folder = Folder::new();
        let store = folder.open_plainly().await;
        append(&store, 1).await.unwrap();
        let away = folder.dir.path().with_extension("away");
        #[expect(
            clippy::disallowed_methods,
            reason = "a thread looks by the time of the machine"
        )]
        let began = std::time::Instant::now();
        fs::rename(folder.dir.path(), &away).unwrap();
        folder.told.wait_for("Gone").await;
        took = took.min(began.elapsed());
        append(&store, 1).await.unwrap_err();
        drop(store);
        fs::remove_dir_all(&away).unwrap();
        if took < Duration::from_secs(2) {
            return;
        }
    }
    panic!("it took {took:?}");
}

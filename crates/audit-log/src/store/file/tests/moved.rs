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
async fn a_journal_that_was_moved_is_noticed_and_an_older_one_in_its_place_goes_on() {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    append(&store, 10).await.unwrap();
    let (journal, copy) = (folder.path("journal"), folder.path("copy"));
    fs::create_dir(&copy).unwrap();
    let segment = "0000000000.paj";
    fs::copy(journal.join(segment), copy.join(segment)).unwrap();
    append(&store, 5).await.unwrap();
    fs::rename(&journal, folder.path("moved")).unwrap();
    fs::rename(&copy, &journal).unwrap();
    folder
        .told
        .wait_for("JournalReopened { restored: 5 }")
        .await;
    append(&store, 5).await.unwrap();
    store.close().await.unwrap();
    assert_has(&folder.open_plainly().await, 20).await;
}

/// Takes a byte of the file at its first frame.
fn overwrite(segment: &Path) {
    use std::os::unix::fs::FileExt as _;
    let file = fs::File::options().write(true).open(segment).unwrap();
    file.write_all_at(b"x", 100).unwrap();
}

#[tokio::test]
async fn a_journal_that_was_cut_is_written_again_from_memory() {
    let cut = |to: u64| {
        move |file: &Path| {
            let file = fs::File::options().write(true).open(file).unwrap();
            file.set_len(to).unwrap();
        }
    };
    // All of it, within a frame before the bundle that is in place, and room alone.
    for to in [0, 200, 8 * 1024 * 1024] {
        let folder = Folder::new();
        let store = folder.open_plainly().await;
        append(&store, 100).await.unwrap();
        append(&store, 200).await.unwrap();
        append(&store, 7).await.unwrap();
        eventually("in place", || folder.path("log/tile/0/000").exists()).await;
        let segment = folder.path("journal/0000000000.paj");
        cut(to)(&segment);
        folder.told.wait_for("JournalMoved").await;
        folder.told.wait_for("JournalReopened").await;
        assert_eq!(store.damages(), 1, "{to}");
        append(&store, 3).await.unwrap();
        assert_eq!(store.check_journal().await.unwrap(), None, "{to}");
        // It is found once.
        assert_eq!(fs::metadata(&segment).unwrap().len(), 16 * 1024 * 1024);
        store.close().await.unwrap();
        let store = folder.open_plainly().await;
        assert_has(&store, 310).await;
        assert_eq!(
            store.personal(306).await.unwrap(),
            Some(records::sealed(306))
        );
    }
}

#[tokio::test]
async fn bytes_that_were_overwritten_are_found_when_the_journal_is_read_and_written_again() {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    append(&store, 20).await.unwrap();
    assert_eq!(store.check_journal().await.unwrap(), None);
    let segment = folder.path("journal/0000000000.paj");
    // The only frame, and one with others behind it.
    for (size, first) in [(20, 0), (30, 0)] {
        overwrite(&segment);
        assert_eq!(store.check_journal().await.unwrap(), Some(first), "{size}");
        assert_eq!(store.check_journal().await.unwrap(), None, "{size}");
        append(&store, 10).await.unwrap();
    }
    assert!(folder.told.has("JournalDamaged { first: 0 }"));
    assert_eq!(store.damages(), 2);
    store.close().await.unwrap();
    assert_has(&folder.open_plainly().await, 40).await;
}

#[tokio::test]
async fn another_log_in_its_place_is_refused() {
    let (folder, other) = (Folder::new(), Folder::new());
    let store = other.open_plainly().await;
    let taken = store.lock(&[]).await.unwrap();
    let mut group = Group::new(taken.state());
    group.push(&records::event(9), None).unwrap();
    taken.commit(&group).await.unwrap();
    store.close().await.unwrap();
    let store = folder.open_plainly().await;
    append(&store, 1).await.unwrap();
    fs::remove_dir_all(folder.path("journal")).unwrap();
    fs::rename(other.path("journal"), folder.path("journal")).unwrap();
    folder.told.wait_for("OtherJournal").await;
    let error = append(&store, 1).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error}");
    assert_has(&store, 1).await;
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

//! Stores that are opened again.

use super::{records::signed, *};
use crate::{
    event::LeafNumbers,
    journal::{FrameWriter, Journal},
    tree::TreeHash,
};

#[tokio::test]
async fn a_log_is_what_it_was_after_each_opening() {
    let folder = Folder::new();
    let mut size = 0;
    for count in [1, 300, 255, 1, 2_000] {
        let store = folder.open_plainly().await;
        assert_has(&store, size).await;
        let edge = append(&store, count).await.unwrap();
        store.publish(&signed(&edge)).await.unwrap();
        size += count;
        assert_has(&store, size).await;
        store.close().await.unwrap();
        append(&store, 1).await.unwrap_err();
    }
}

#[tokio::test]
async fn a_folder_has_one_store_at_a_time() {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    let error = folder.try_open().await.unwrap_err();
    let path = folder.dir.path().to_string_lossy().into_owned();
    assert!(matches!(error, FileStoreError::InUse { .. }) && error.to_string().contains(&path));
    store.close().await.unwrap();
    folder.open_plainly().await;
    // One that was dropped gives it back by itself.
    for _ in 0..1_000 {
        if folder.try_open().await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the folder was not given back");
}

#[tokio::test]
async fn a_tail_that_was_cut_is_refused() {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    let edge = append(&store, 300).await.unwrap();
    store.publish(&signed(&edge)).await.unwrap();
    store.close().await.unwrap();
    fs::rename(folder.path("journal"), folder.path("elsewhere")).unwrap();
    let error = folder.try_open().await.unwrap_err();
    let path = folder.path("journal").to_string_lossy().into_owned();
    assert!(error.is_damage() && error.to_string().contains(&path));
    assert!(!folder.path("journal").exists());
    // A log of before that was kept: its checkpoint tells.
    fs::remove_file(folder.path("acknowledged")).unwrap();
    let error = folder.try_open().await.unwrap_err();
    assert!(
        matches!(
            error,
            FileStoreError::TailCut {
                published: 300,
                found: 256,
                ..
            }
        ),
        "{error}"
    );
    // Once another has followed it, what lies beside it goes all the same.
    let cut = FileStore::builder(folder.dir.path()).accept_cut();
    let cut = cut.open().await.unwrap();
    assert_eq!(cut.size().await.unwrap(), 256);
    assert!(cut.personal(5).await.unwrap().is_some());
    assert_eq!(cut.erase(&[5]).await.unwrap(), 1);
    cut.close().await.unwrap();
    fs::remove_dir_all(folder.path("journal")).unwrap();
    fs::rename(folder.path("elsewhere"), folder.path("journal")).unwrap();
    assert_has(&folder.open_plainly().await, 300).await;
}

#[tokio::test]
async fn a_checkpoint_of_another_log_is_refused() {
    for size in [300, 10] {
        let (folder, other) = (Folder::new(), Folder::new());
        let store = folder.open_plainly().await;
        append(&store, 300).await.unwrap();
        store.close().await.unwrap();
        let store = other.open_plainly().await;
        // The same events one later: another tree of the same size.
        append(&store, 1).await.unwrap();
        let taken = store.lock(&[]).await.unwrap();
        let mut group = Group::new(taken.state());
        for n in 0..size - 1 {
            group.push(&records::event(n), None).unwrap();
        }
        let edge = group.edge_after().clone();
        taken.commit(&group).await.unwrap();
        store.publish(&signed(&edge)).await.unwrap();
        store.close().await.unwrap();
        let checkpoint = "log/checkpoint";
        fs::copy(other.path(checkpoint), folder.path(checkpoint)).unwrap();
        let error = folder.try_open().await.unwrap_err();
        assert!(matches!(error, FileStoreError::OtherTree { .. }), "{error}");
    }
}

#[tokio::test]
async fn numbers_of_tenants_are_made_again_from_bundles_and_journal() {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    append(&store, 2_000).await.unwrap();
    store.close().await.unwrap();
    let sound = fs::read(folder.path("tenants")).unwrap();
    for damaged in [None, Some(Vec::new()), Some(sound[..40].to_vec())] {
        match damaged {
            None => fs::remove_file(folder.path("tenants")).unwrap(),
            Some(bytes) => fs::write(folder.path("tenants"), bytes).unwrap(),
        }
        let store = folder.open_plainly().await;
        let size = store.size().await.unwrap();
        append(&store, 10).await.unwrap();
        assert_has(&store, size + 10).await;
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_bundle_that_is_missing_or_damaged_is_told_where_it_is_needed() {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    append(&store, 1_000).await.unwrap();
    store.close().await.unwrap();
    let bundle = folder.path("log/tile/entries/001");
    let sound = fs::read(&bundle).unwrap();
    fs::write(&bundle, &sound[..1_000]).unwrap();
    let store = folder.open_plainly().await;
    assert!(store.entries(0, NonZeroUsize::MIN).await.is_ok());
    let error = store.entries(256, NonZeroUsize::MIN).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error}");
    fs::remove_file(&bundle).unwrap();
    let error = store.entries(256, NonZeroUsize::MIN).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error}");
    fs::write(&bundle, &sound).unwrap();
    assert_has(&store, 1_000).await;
    store.close().await.unwrap();
    // The first says whether anything was pruned.
    fs::remove_file(folder.path("log/tile/entries/000")).unwrap();
    let error = folder.try_open().await.unwrap_err();
    assert!(matches!(error, FileStoreError::Damaged { .. }), "{error}");
}

#[tokio::test]
async fn cursors_that_are_damaged_are_refused() {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    let name = Id::constant("siem/one");
    store.move_cursor(&name, 7).await.unwrap();
    store.close().await.unwrap();
    let store = folder.open_plainly().await;
    assert_eq!(store.cursor(&name).await.unwrap(), Some(7));
    store.close().await.unwrap();
    fs::write(folder.path("cursors"), b"siem/one 8\n").unwrap();
    let error = folder.try_open().await.unwrap_err();
    assert!(matches!(error, FileStoreError::Damaged { .. }), "{error}");
}

#[tokio::test]
async fn only_what_is_published_can_be_read_by_others() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    let edge = append(&store, 600).await.unwrap();
    store.publish(&signed(&edge)).await.unwrap();
    store.move_cursor(&Id::constant("siem"), 7).await.unwrap();
    store.close().await.unwrap();
    for (path, _) in folder.files() {
        let mode = path.metadata().unwrap().permissions().mode() & 0o777;
        let is_published = path.starts_with(folder.path("log"));
        assert!(
            is_published || mode == 0o600,
            "{} has {mode:o}",
            path.display()
        );
    }
}

#[tokio::test]
async fn an_entry_that_none_of_its_tenant_can_follow_is_refused() {
    let (folder, mut leaf) = (Folder::new(), Vec::new());
    let last = LeafNumbers {
        in_tree: 0,
        in_tenant: u64::MAX,
    };
    records::event(0).write_leaf(last, &mut leaf);
    let mut edge = RightEdge::new();
    edge.push(TreeHash::of_leaf(&leaf));
    let mut frames = FrameWriter::new();
    frames.begin(0);
    frames.push(&leaf, None).unwrap();
    let path = folder.path("journal");
    let (mut journal, _) = Journal::open(&path, RightEdge::new(), |_| {}).unwrap();
    journal
        .append(&frames.finish(&edge.root()).unwrap())
        .unwrap();
    drop(journal);
    let error = folder.try_open().await.unwrap_err();
    assert!(matches!(error, FileStoreError::Damaged { .. }), "{error}");
}

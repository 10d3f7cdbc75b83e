//! Personal parts, and leaves that go.

use super::{
    records::{has_part, sealed, signed},
    *,
};
use crate::{
    checkpoint::Checkpoint,
    disk::faulty::Fault,
    tile::{TileKind, WIDTH},
};

async fn assert_parts(store: &FileStore, size: u64, is_erased: impl Fn(u64) -> bool) {
    for n in store.first().await.unwrap()..size {
        let expected = (has_part(n) && !is_erased(n)).then(|| sealed(n));
        assert_eq!(store.personal(n).await.unwrap(), expected, "of {n}");
    }
}

#[tokio::test]
async fn nothing_is_left_of_a_part_that_was_erased_wherever_it_was() {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    append(&store, 700).await.unwrap();
    append(&store, 100).await.unwrap();
    // In a bundle, in the last bundle, behind it, and one without a part.
    let erased = [5, 512, 767, 768, 797];
    for n in [5, 512, 768, 797] {
        assert!(!folder.found(&sealed(n)).is_empty());
    }
    assert_eq!(store.erase(&erased).await.unwrap(), 4);
    for n in erased {
        assert_eq!(folder.found(&sealed(n)), Vec::<PathBuf>::new(), "of {n}");
    }
    assert_eq!(store.erase(&erased).await.unwrap(), 0);
    let is_erased = |n| erased.contains(&n);
    assert_parts(&store, 800, is_erased).await;
    append(&store, 300).await.unwrap();
    assert_parts(&store, 1_100, is_erased).await;
    store.close().await.unwrap();
    let store = folder.open_plainly().await;
    assert_has(&store, 1_100).await;
    assert_parts(&store, 1_100, is_erased).await;
    for n in erased {
        assert_eq!(folder.found(&sealed(n)), Vec::<PathBuf>::new(), "of {n}");
    }
}

#[tokio::test]
async fn an_erasure_that_failed_is_done_by_the_next() {
    // Writes of an erasure, the most of which are zeros of a segment, and its syncs.
    let writes = [0, 1, 100, 255, 256, 257, 258, 259, 260, 261];
    let faults = [
        (Fault::Sync, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (Fault::Full { after: 10 }, writes),
    ];
    for (fault, places) in faults {
        let folder = Folder::new();
        let store = folder.open().await;
        append(&store, 300).await.unwrap();
        let mut failed = 0;
        for (number, place) in (0..).zip(places) {
            let erased = [4 * number, 256 + 4 * number];
            folder.disk.fail_later(place, fault);
            failed += usize::from(store.erase(&erased).await.is_err());
            folder.disk.heal();
            assert!(!folder.path("journal.draft").exists());
            assert_has(&store, 300).await;
            store.erase(&erased).await.unwrap();
            for n in erased {
                assert_eq!(folder.found(&sealed(n)), Vec::<PathBuf>::new(), "of {n}");
            }
        }
        assert!((3..10).contains(&failed), "{failed} of {fault:?}");
        append(&store, 10).await.unwrap();
        assert_has(&store, 310).await;
        assert_parts(&store, 310, |n| n % 4 == 0 && n % 256 < 40).await;
    }
}

#[tokio::test]
async fn a_journal_that_was_being_replaced_is_the_one_or_the_other() {
    for step in 0..4 {
        let folder = Folder::new();
        let store = folder.open_plainly().await;
        append(&store, 300).await.unwrap();
        store.close().await.unwrap();
        let (journal, new, old) = (
            folder.path("journal"),
            folder.path("journal.new"),
            folder.path("journal.old"),
        );
        let copy = |to: &Path| {
            fs::create_dir(to).unwrap();
            for name in names(&journal) {
                fs::copy(journal.join(&name), to.join(&name)).unwrap();
            }
        };
        match step {
            0 => copy(&folder.path("journal.draft")),
            1 => copy(&new),
            2 => {
                copy(&new);
                fs::rename(&journal, &old).unwrap();
            }
            _ => copy(&old),
        }
        let store = folder.open_plainly().await;
        assert_has(&store, 300).await;
        let left = names(folder.dir.path());
        let beside = left.iter().filter(|name| name.starts_with("journal"));
        assert_eq!(beside.count(), 1, "{left:?} at {step}");
    }
}

#[tokio::test]
async fn every_proof_between_sizes_that_were_kept_works_after_pruning() {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    let mut edges = Vec::new();
    for count in [300, 724, 500] {
        let edge = append(&store, count).await.unwrap();
        store.publish(&signed(&edge)).await.unwrap();
        edges.push(edge);
    }
    assert_eq!(store.prune(1_100).await.unwrap(), 1_024);
    assert_eq!(store.prune(1_000).await.unwrap(), 0);
    let gone = names(&folder.path("log/tile/entries"));
    assert!(
        gone.iter()
            .all(|name| name.starts_with("004") || name.starts_with("005")),
        "{gone:?}"
    );
    assert_parts(&store, 1_524, |_| false).await;
    for n in [0, 1_022] {
        assert_eq!(folder.found(&sealed(n)), Vec::<PathBuf>::new(), "of {n}");
        let resource = format!("\"lead-{n}\"");
        assert_eq!(
            folder.found(resource.as_bytes()),
            Vec::<PathBuf>::new(),
            "of {n}"
        );
    }
    // Of each tile of leaves, the root is that of the tree.
    for index in 0..5 {
        let path = TilePath::new(TileKind::Hashes { level: 0 }, index, WIDTH).unwrap();
        assert_eq!(store.tile(path).await.unwrap().unwrap().len(), 8_192);
    }
    store.close().await.unwrap();
    let store = folder.open_plainly().await;
    assert_eq!(store.first().await.unwrap(), 1_024);
    assert_has(&store, 1_524).await;
    let edge = append(&store, 10).await.unwrap();
    store.publish(&signed(&edge)).await.unwrap();
    let note = store.checkpoint().await.unwrap().unwrap();
    let checkpoint = Checkpoint::parse(note.unverified_text()).unwrap();
    assert_eq!(checkpoint.root(), edge.root());
    store.close().await.unwrap();
    // Without the bundles, the tenants' numbers cannot be made again.
    fs::remove_file(folder.path("tenants")).unwrap();
    let error = folder.try_open().await.unwrap_err();
    assert!(error.to_string().contains("tenants"), "{error}");
}

#[tokio::test]
async fn a_pruning_that_was_interrupted_is_ended_by_the_next_start() {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    append(&store, 1_024).await.unwrap();
    store.close().await.unwrap();
    let bundles = folder.path("log/tile/entries");
    let kept: Vec<_> = ["001", "002"]
        .map(|name| (bundles.join(name), fs::read(bundles.join(name)).unwrap()))
        .into();
    let store = folder.open_plainly().await;
    assert_eq!(store.prune(768).await.unwrap(), 768);
    store.close().await.unwrap();
    for (path, bytes) in &kept {
        fs::write(path, bytes).unwrap();
    }
    let store = folder.open_plainly().await;
    eventually("gone", || names(&bundles) == ["003"]).await;
    assert_has(&store, 1_024).await;
}

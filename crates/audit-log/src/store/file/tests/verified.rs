//! The index, held against the leaves.

use super::{
    index_row::IndexRow,
    records::{policy, signed},
    *,
};
use crate::{
    search::{Filter, PageSize, TermKind},
    source::{FolderSource, LogSource as _},
    tile::{TileKind, TilePath},
    verify::{EntryFault, Finding, Outcome, Report, Verification},
};

/// A log of two full bundles and some more, that is closed; the bytes of its index.
async fn closed() -> (Folder, Vec<u8>) {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    let edge = append(&store, 600).await.unwrap();
    store.publish(&signed(&edge)).await.unwrap();
    store.close().await.unwrap();
    let index = fs::read(folder.path("index")).unwrap();
    assert_eq!(index.len(), 2 * IndexRow::BYTES);
    (folder, index)
}

/// What a verification finds, and how many rows it found right.
fn verify(folder: &Folder) -> (Report, u64) {
    let source = FolderSource::new(&folder.path("log"));
    let (policy, mut index) = (policy(), StoredIndex::open(folder.dir.path()).unwrap());
    let verification = Verification::new(&source, &policy).companions(&mut index);
    (verification.run(), index.rows())
}

/// The entries that the index is said not to agree with.
fn hidden(report: &Report) -> Vec<u64> {
    let faults = report.findings.iter().map(|finding| match finding {
        Finding::Entry {
            n,
            fault: EntryFault::Row,
            ..
        } => *n,
        other => panic!("{other}"),
    });
    faults.collect()
}

/// The index as if an entry of the second bundle were none, with the right checksum.
fn without(folder: &Folder, index: &[u8], n: u64) -> Vec<u8> {
    let bundle = fs::read(folder.path("log/tile/entries/001")).unwrap();
    let mut row = IndexRow::new();
    for (_, entry) in bundles::entries(1, &bundle).filter(|(of, _)| *of != n) {
        row.add(&Leaf::parse(entry).unwrap());
    }
    [&index[..IndexRow::BYTES], &row.encode(1)].concat()
}

async fn found(store: &FileStore, n: u64) -> bool {
    let filter = Filter::new();
    let filter = filter.with(TermKind::Resource, &format!("lead-{n}"));
    let query = Query::new(filter.unwrap(), PageSize::default());
    !store.search(&query).await.unwrap().events.is_empty()
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_in_the_published_folder_leads_nobody_out_of_it() {
    use std::os::unix::fs::symlink;

    let (folder, _) = closed().await;
    let elsewhere = folder.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("777"), "of somebody").unwrap();
    let tile = |level| TilePath::new(TileKind::Hashes { level }, 777, 256).unwrap();
    let place = |path: &str| folder.path("log").join(path);
    symlink(elsewhere.join("777"), place(&tile(0).to_string())).unwrap();
    symlink(&elsewhere, place("tile/2")).unwrap();
    let store = folder.open_plainly().await;
    let source = FolderSource::new(&folder.path("log"));
    for path in [tile(0), tile(2)] {
        assert!(store.tile(path).await.is_err(), "{path}");
        assert!(source.read(&path.to_string(), 100).is_err(), "{path}");
    }
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_row_that_was_changed_is_found_wherever_it_was() {
    let (folder, sound) = closed().await;
    let (report, rows) = verify(&folder);
    assert_eq!((report.outcome(), rows), (Outcome::Sound, 2));
    for at in (0..sound.len()).step_by(67) {
        let mut changed = sound.clone();
        changed[at] ^= 0x10;
        fs::write(folder.path("index"), changed).unwrap();
        let (report, rows) = verify(&folder);
        let last = if at < IndexRow::BYTES { 255 } else { 511 };
        assert_eq!((hidden(&report), rows), (vec![last], 1), "byte {at}");
        assert_eq!(report.outcome(), Outcome::Tampered);
    }
    // Without rows, nothing is hidden.
    for absent in [&sound[..IndexRow::BYTES + 9], &[]] {
        fs::write(folder.path("index"), absent).unwrap();
        assert_eq!(verify(&folder).0.outcome(), Outcome::Sound);
    }
    fs::remove_file(folder.path("index")).unwrap();
    let (report, rows) = verify(&folder);
    assert_eq!((report.outcome(), rows), (Outcome::Sound, 0));
}

#[tokio::test]
async fn what_a_forged_row_hides_from_a_search_a_verification_names() {
    let (folder, sound) = closed().await;
    fs::write(folder.path("index"), without(&folder, &sound, 300)).unwrap();
    let store = folder.open_plainly().await;
    assert!(!found(&store, 300).await, "the checksum is right");
    store.close().await.unwrap();
    let (report, rows) = verify(&folder);
    assert_eq!((hidden(&report), rows), (vec![300, 511], 1));
    // It is made again from what is signed.
    fs::remove_file(folder.path("index")).unwrap();
    let store = folder.open_plainly().await;
    assert!(found(&store, 300).await);
    eventually("made again", || {
        fs::read(folder.path("index")).unwrap() == sound
    })
    .await;
    assert_eq!(verify(&folder).1, 2);
}

#[tokio::test]
async fn a_row_that_is_damaged_while_the_store_is_open_is_made_again_once_a_search_meets_it() {
    let (folder, sound) = closed().await;
    let store = folder.open_plainly().await;
    let mut damaged = sound.clone();
    damaged[IndexRow::BYTES + 500] ^= 1;
    for _ in 0..2 {
        fs::write(folder.path("index"), &damaged).unwrap();
        assert!(found(&store, 300).await);
        eventually("made again", || {
            fs::read(folder.path("index")).unwrap() == sound
        })
        .await;
    }
    folder.told.wait_for("IndexRebuilt").await;
}

#[tokio::test]
async fn an_index_that_is_removed_under_an_open_store_hides_nothing_and_is_made_again_by_the_next()
{
    let (folder, sound) = closed().await;
    let store = folder.open_plainly().await;
    fs::remove_file(folder.path("index")).unwrap();
    let edge = append(&store, 600).await.unwrap();
    store.publish(&signed(&edge)).await.unwrap();
    for n in [0, 300, 599, 600, 1_100, 1_199] {
        assert!(found(&store, n).await, "{n}");
    }
    assert!(!found(&store, 1_200).await);
    // There is none that says anything else.
    let (report, rows) = verify(&folder);
    assert_eq!((report.outcome(), rows), (Outcome::Sound, 0));
    store.close().await.unwrap();
    let store = folder.open_plainly().await;
    for n in [0, 300, 1_100] {
        assert!(found(&store, n).await, "{n}");
    }
    eventually("made again", || {
        let index = fs::read(folder.path("index")).unwrap();
        index.len() == 4 * IndexRow::BYTES && index.starts_with(&sound)
    })
    .await;
    let (report, rows) = verify(&folder);
    assert_eq!((report.outcome(), rows), (Outcome::Sound, 4));
}

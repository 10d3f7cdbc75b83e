//! Archives in memory and in a folder. Those in a bucket are in `tests/server_archive`.

use std::num::NonZeroUsize;

use object_store::{ObjectStoreExt as _, local::LocalFileSystem, memory::InMemory};
use secrecy::SecretBox;
use tempfile::TempDir;
use tokio::{runtime::Handle, task::spawn_blocking};

use super::*;
use crate::{
    anchor::{Anchor as _, ArchiveAnchor},
    audit::{ARCHIVE_CURSOR, Generation},
    checkpoint::{Checkpoint, Policy},
    event::{
        Action, Activity, Actor, ActorType, Delivery, EventBuilder, EventId, Id, Stamp, Timestamp,
    },
    note::{KeyName, SigningKey},
    proof::TlogProof,
    source::{FolderSource, LogSource as _},
    store::{Group, MemoryStore, Store},
    tree::{RightEdge, TreeHash},
    verify::{Outcome, Report, Verification},
};

const TENANT: Id = Id::SYSTEM_TENANT;

fn key() -> SigningKey {
    let seed = SecretBox::new(Box::new([1; 32]));
    SigningKey::from_seed("log.example/audit".parse().unwrap(), &seed).unwrap()
}

fn policy() -> Policy {
    Policy::new(vec![key().verifying_key().clone()]).unwrap()
}

fn origin() -> KeyName {
    policy().origin().clone()
}

/// Appends events, which differ by `seed`, and publishes them.
async fn append(store: &dyn Store, events: u64, seed: u8) -> RightEdge {
    let taken = store.lock(&[TENANT]).await.unwrap();
    let mut group = Group::new(taken.state());
    for n in 0..events {
        let actor = Actor::new(ActorType::System, Id::constant("writer"));
        let event = EventBuilder::new(TENANT, Action::new("a.b"), Activity::Other, actor);
        let time = Timestamp::from_unix_micros(1 + n).unwrap();
        let stamp = Stamp::new(
            EventId::new(time, [seed; 10]),
            time,
            Delivery::Must,
            Id::constant("a"),
        );
        group.push(&event.build(stamp).unwrap(), None).unwrap();
    }
    let edge = group.edge_after().clone();
    taken.commit(&group).await.unwrap();
    let checkpoint = Checkpoint::new(origin(), edge.size(), edge.root());
    store
        .publish(&checkpoint.sign(&[key()]).unwrap())
        .await
        .unwrap();
    edge
}

async fn log(sizes: &[u64]) -> Arc<dyn Store> {
    let store = MemoryStore::new();
    for events in sizes {
        append(&store, *events, 1).await;
    }
    Arc::new(store)
}

fn in_memory() -> (Arc<InMemory>, Archive) {
    let store = Arc::new(InMemory::new());
    (store.clone(), Archive::new(store, "audit/server").unwrap())
}

async fn verify(archive: &Archive) -> Report {
    let source = ArchiveSource::new(archive.clone(), Handle::current());
    let verifying = move || Verification::new(&source, &policy()).run();
    spawn_blocking(verifying).await.unwrap()
}

#[tokio::test]
async fn an_archive_is_the_log_and_grows_with_it() {
    let (_, archive) = in_memory();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let nothing = archive.fill(&store, &policy()).await.unwrap();
    assert_eq!(nothing, Archived::default());
    assert_eq!(verify(&archive).await.outcome(), Outcome::Unusable);
    let mut size = 0;
    for events in [1, 255, 1, 300, 1_500] {
        append(&*store, events, 1).await;
        size += events;
        let archived = archive.fill(&store, &policy()).await.unwrap();
        assert_eq!(archived.size, size);
        let report = verify(&archive).await;
        assert_eq!(
            (report.outcome(), report.entries),
            (Outcome::Sound, size),
            "{report:?}"
        );
        let again = archive.fill(&store, &policy()).await.unwrap();
        assert_eq!((again.size, again.objects), (size, 0));
        assert_eq!(store.cursor(&ARCHIVE_CURSOR).await.unwrap(), Some(size));
    }
    // What was pruned is proved from the archive.
    assert_eq!(store.prune(size).await.unwrap(), 2_048);
    let source = ArchiveSource::new(archive, Handle::current());
    let proving = move || {
        let signed = policy()
            .open(&source.read("checkpoint", 10_000).unwrap().unwrap())
            .unwrap();
        TlogProof::from_source(&source, &signed, 700).unwrap()
    };
    let (entry, proof) = spawn_blocking(proving).await.unwrap();
    let keys = [key().verifying_key().clone()];
    assert!(proof.verify(&entry, &origin(), &keys).is_ok());
}

#[tokio::test]
async fn whatever_is_missing_is_put_there_by_the_next_call() {
    let store = log(&[1_000]).await;
    let (whole, filled) = in_memory();
    let all = filled.fill(&store, &policy()).await.unwrap().objects;
    // 4 bundles and 4 tiles, the tile above them, the checkpoint.
    assert_eq!(all, 10);
    for left_out in listed(&whole).await {
        let (objects, archive) = in_memory();
        for path in listed(&whole).await {
            // As after a crash: without its checkpoint, and with all others.
            if path != left_out && !path.as_ref().contains("checkpoints") {
                let bytes = whole.get(&path).await.unwrap().bytes().await.unwrap();
                objects.put(&path, bytes.into()).await.unwrap();
            }
        }
        let filled = archive.fill(&store, &policy()).await.unwrap();
        let expected = if left_out.as_ref().contains("checkpoints") {
            1
        } else {
            2
        };
        assert_eq!(filled.objects, expected, "{left_out}");
        assert_eq!(verify(&archive).await.outcome(), Outcome::Sound);
    }
}

async fn listed(objects: &InMemory) -> Vec<Path> {
    use object_store::ObjectStore as _;

    let (mut open, mut found) = (vec![Path::default()], Vec::new());
    while let Some(at) = open.pop() {
        let listed = objects.list_with_delimiter(Some(&at)).await.unwrap();
        open.extend(listed.common_prefixes);
        found.extend(listed.objects.into_iter().map(|object| object.location));
    }
    found.sort_unstable();
    found
}

#[tokio::test]
async fn nothing_is_overwritten_and_what_is_in_the_way_is_named() {
    let store = log(&[300]).await;
    let (whole, filled) = in_memory();
    filled.fill(&store, &policy()).await.unwrap();
    for path in listed(&whole).await {
        let (objects, archive) = in_memory();
        let bytes = whole.get(&path).await.unwrap().bytes().await.unwrap();
        for other in [&bytes[1..], &[bytes.as_ref(), &[0; 600_000]].concat()] {
            objects.put(&path, other.to_vec().into()).await.unwrap();
            let refused = archive.fill(&store, &policy()).await.unwrap_err();
            let is_named = refused.to_string().contains(&path.as_ref()[13..]);
            // What was archived, nobody knows without its checkpoint.
            let is_unknown = matches!(refused, ArchiveError::OtherLog(_));
            assert!(is_named || is_unknown, "{refused}");
            let left = objects.get(&path).await.unwrap().bytes().await.unwrap();
            assert_eq!(left.as_ref(), other);
        }
    }
}

#[tokio::test]
async fn a_log_that_is_no_continuation_or_not_sound_is_not_archived() {
    let (objects, archive) = in_memory();
    archive.fill(&log(&[300]).await, &policy()).await.unwrap();
    let before = listed(&objects).await;
    let other: Arc<dyn Store> = Arc::new(MemoryStore::new());
    append(&*other, 700, 2).await;
    let shorter: Arc<dyn Store> = Arc::new(MemoryStore::new());
    append(&*shorter, 200, 2).await;
    for (log, expected) in [(other, Outcome::Tampered), (shorter, Outcome::Tampered)] {
        let refused = archive.fill(&log, &policy()).await;
        let Err(ArchiveError::Unsound(outcome)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(outcome, expected);
    }
    assert_eq!(listed(&objects).await, before);

    let seed = SecretBox::new(Box::new([2; 32]));
    let foreign = SigningKey::from_seed(origin(), &seed).unwrap();
    let foreign = Policy::new(vec![foreign.verifying_key().clone()]).unwrap();
    let refused = archive.fill(&log(&[300]).await, &foreign).await;
    assert!(
        matches!(refused, Err(ArchiveError::OtherLog(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn of_a_log_that_was_put_back_the_archive_has_more_and_stays_as_it_is() {
    for (more, less) in [(300, 200), (1_000, 256), (1_024, 700), (3, 1)] {
        let (objects, archive) = in_memory();
        let whole = archive.fill(&log(&[more]).await, &policy()).await;
        assert_eq!(whole.unwrap().ahead, 0);
        let before = listed(&objects).await;
        let shorter = log(&[less]).await;
        let archived = archive.fill(&shorter, &policy()).await.unwrap();
        assert_eq!(
            (archived.size, archived.objects, archived.ahead),
            (more, 0, more - less)
        );
        assert_eq!(listed(&objects).await, before);
        // All that it has may be taken out of it.
        let cursor = shorter.cursor(&ARCHIVE_CURSOR).await.unwrap();
        assert_eq!(cursor, Some(less));
    }
}

#[tokio::test]
async fn an_archive_in_a_folder_is_one_that_is_read_as_such() {
    let dir = TempDir::new().unwrap();
    let files = LocalFileSystem::new_with_prefix(dir.path()).unwrap();
    let archive = Archive::new(Arc::new(files), "").unwrap();
    for events in [500, 600] {
        archive
            .fill(&log(&[500, events - 500]).await, &policy())
            .await
            .unwrap();
    }
    assert_eq!(verify(&archive).await.entries, 600);
    // Tools that know the folder of a log alone are given a checkpoint of the archive.
    let checkpoint = archive.checkpoint().await.unwrap().unwrap();
    std::fs::write(dir.path().join("checkpoint"), checkpoint.to_string()).unwrap();
    let source = FolderSource::new(dir.path());
    assert_eq!(
        Verification::new(&source, &policy()).run().outcome(),
        Outcome::Sound
    );
    // Left by a writer that ended: the next larger number has no object.
    std::fs::create_dir_all(dir.path().join("checkpoints/000/000/000/000/001")).unwrap();
    assert_eq!(verify(&archive).await.entries, 600);
}

fn signed(generation: &Generation, size: u64, leaf: &[u8]) -> SignedNote {
    let origin = generation.origin(&origin()).unwrap();
    let checkpoint = Checkpoint::new(origin.clone(), size, TreeHash::of_leaf(leaf));
    checkpoint.sign(&[key().with_name(origin)]).unwrap()
}

#[tokio::test]
async fn an_anchor_keeps_every_checkpoint_and_knows_the_largest_of_the_latest_log() {
    let (_, place) = in_memory();
    let anchor = ArchiveAnchor::new("bucket", origin(), place);
    assert!(anchor.latest().await.unwrap().is_none());
    let first = Generation::FIRST;
    for size in [9, 1_234_567, 10, 999, 1_000, u64::MAX >> 1] {
        anchor.keep(&signed(&first, size, b"a")).await.unwrap();
    }
    let largest = signed(&first, u64::MAX >> 1, b"a");
    assert_eq!(anchor.latest().await.unwrap(), Some(largest));
    // The same again, and another tree of that size.
    anchor.keep(&signed(&first, 999, b"a")).await.unwrap();
    let refused = anchor.keep(&signed(&first, 999, b"b")).await.unwrap_err();
    let why = std::error::Error::source(&refused).unwrap().to_string();
    assert!(
        why.contains("anchored/0000000001/000/000/000/000/000/000/999"),
        "{why}"
    );

    let tree = |generation| format!("{generation} 1 {}", TreeHash::of_leaf(b"a"));
    let later = format!(
        "portcullis/audit/generation/v1\n2\nknown {}\nkept {}\n",
        tree(1),
        tree(1)
    );
    let later = signed(&later.parse().unwrap(), 3, b"a");
    anchor.keep(&later).await.unwrap();
    assert_eq!(anchor.latest().await.unwrap(), Some(later));
    let foreign = Checkpoint::new("other.example".parse().unwrap(), 1, TreeHash::of_leaf(b"a"));
    let seed = SecretBox::new(Box::new([1; 32]));
    let key = SigningKey::from_seed("other.example".parse().unwrap(), &seed).unwrap();
    assert!(anchor.keep(&foreign.sign(&[key]).unwrap()).await.is_err());
}

#[tokio::test]
async fn what_was_pruned_before_there_was_an_archive_is_left_out() {
    let store = log(&[1_000]).await;
    store.prune(600).await.unwrap();
    let (_, archive) = in_memory();
    archive.fill(&store, &policy()).await.unwrap();
    let report = verify(&archive).await;
    assert_eq!((report.outcome(), report.pruned), (Outcome::Sound, 512));
    let left = store.entries(600, NonZeroUsize::MIN).await.unwrap();
    assert!(!left.is_empty());
}

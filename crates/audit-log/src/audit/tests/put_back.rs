//! Files that were put back from a copy, and what follows when that is accepted.

use std::{fs, num::NonZeroU32, path::Path};

use tempfile::TempDir;

use super::*;
use crate::{
    anchor::{Anchor, FileAnchor},
    checkpoint::Policy,
    note::{KeyName, SignedNote},
    source::FolderSource,
    store::{FileGenerations, FileStore, FileStoreError},
    verify::{Outcome as Verified, Verification},
};

/// The folder of a service, and a file elsewhere that its checkpoints are kept in.
struct Service {
    dir: TempDir,
}

impl Service {
    fn new() -> Self {
        let dir = TempDir::new().expect("a folder");
        fs::create_dir(dir.path().join("audit")).expect("it is empty");
        Self { dir }
    }

    fn generations(&self) -> FileGenerations {
        FileGenerations::new(&self.dir.path().join("audit"))
    }

    fn anchor(&self) -> Arc<dyn Anchor> {
        Arc::new(FileAnchor::new("elsewhere", self.dir.path().join("kept")))
    }

    fn builder(&self, store: Arc<dyn Store>, generation: &Generation) -> AuditBuilder {
        Audit::builder(store, origin(), Id::constant("node-a"))
            .generation(generation.clone())
            .key(key())
            .anchor(self.anchor())
    }

    /// As a service does at its start.
    async fn store(&self) -> Result<(FileStore, Generation), FileStoreError> {
        let generations = self.generations();
        let current = generations.current()?;
        let store = FileStore::builder(&generations.folder_of(&current));
        Ok((store.open().await?, current))
    }

    /// Opens the log, writes some notes and closes it. Gives all leaves.
    async fn write(&self, notes: usize) -> Result<Vec<Vec<u8>>, OpenError> {
        let (store, current) = self.store().await.expect("the folder is whole");
        let store = Arc::new(store);
        let opened = self.builder(store.clone(), &current).open().await;
        let (audit, writing) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                store.close().await.expect("the disk works");
                return Err(error);
            }
        };
        let writer = tokio::spawn(writing);
        for _ in 0..notes {
            audit.note(draft(READ), None);
        }
        audit.close();
        writer.await.expect("the writer does not panic");
        let leaves = leaves(&*store).await;
        store.close().await.expect("the disk works");
        Ok(leaves)
    }

    /// What the command `accept-rollback` does.
    async fn accept(&self) -> Result<Generation, AcceptError> {
        let (store, current) = self.store().await.expect("the folder is whole");
        let store = Arc::new(store);
        let accepted = self.builder(store.clone(), &current);
        let accepted = accepted.accept_rollback().await;
        let begun = accepted.map(|next| self.generations().begin(&next).expect("there is room"));
        store.close().await.expect("the disk works");
        begun
    }

    /// What the command does where the log does not open.
    async fn accept_damage(&self, published: Option<&SignedNote>) -> Generation {
        let current = self.generations().current().expect("it says which");
        let nothing: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let accepted = self.builder(nothing, &current).accept_damage(published);
        let accepted = accepted.await.expect("the anchor answers");
        self.generations().begin(&accepted).expect("there is room")
    }

    fn verified(&self, generation: &Generation) -> (KeyName, Verified) {
        let origin = generation.origin(&origin()).expect("it is short");
        let key = key().verifying_key().with_name(origin.clone());
        let folder = self.generations().folder_of(generation).join("log");
        let policy = Policy::new(vec![key]).expect("it has a key");
        let source = FolderSource::new(&folder);
        (origin, Verification::new(&source, &policy).run().outcome())
    }
}

/// What the first entry of a log is about.
fn told_first(leaves: &[Vec<u8>]) -> Vec<String> {
    let first = Leaf::parse(&leaves[0]).expect("it is a leaf");
    let told = first.resources();
    told.map(|(kind, id)| format!("{kind} {id}")).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("there is room");
    for entry in fs::read_dir(from).expect("it is a folder") {
        let entry = entry.expect("it is there");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("there is room");
        }
    }
}

fn put_back(copied: &Path, folder: &Path) {
    fs::remove_dir_all(folder).expect("it is there");
    copy(copied, folder);
}

fn rolled_back(opened: Result<Vec<Vec<u8>>, OpenError>) -> (u64, u64) {
    match opened.err() {
        Some(OpenError::RolledBack(found)) => (found.had, found.have),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_log_that_was_put_back_goes_on_under_another_origin_when_that_is_accepted() {
    let service = Service::new();
    let [folder, copied] = ["audit", "copy"].map(|name| service.dir.path().join(name));
    service.write(300).await.expect("it is empty");
    let nothing = service.accept().await;
    assert!(matches!(nothing, Err(AcceptError::NothingToAccept)));
    copy(&folder, &copied);
    service.write(10).await.expect("it is sound");
    put_back(&copied, &folder);
    assert_eq!(rolled_back(service.write(1).await), (314, 302));

    let second = service.accept().await.expect("the anchor answers");
    let leaves = service.write(3).await.expect("a new log");
    let expected = [
        "audit.rollback_accepted success",
        "audit.opened success",
        "lead.read success",
        "lead.read success",
        "lead.read success",
        "audit.closed success",
    ];
    assert_eq!(said(&leaves), expected);
    let told = told_first(&leaves);
    let accepted = second.accepted().expect("there was one");
    let hex = |root: crate::tree::TreeHash| hex::encode(root.as_bytes());
    assert_eq!(
        told,
        [
            "kept_log portcullis.example/audit".to_owned(),
            format!("kept_tree 302:{}", hex(accepted.kept.root)),
            "known_log portcullis.example/audit".to_owned(),
            format!("known_tree 314:{}", hex(accepted.known.root)),
        ]
    );

    // It goes on, and both are verified: each under its origin.
    let leaves = service.write(400).await.expect("it is sound");
    assert_eq!(
        (leaves.len(), &*said(&leaves)[6]),
        (408, "audit.opened success")
    );
    let verified = [Generation::FIRST, second].map(|each| service.verified(&each));
    let expected = ["portcullis.example/audit", "portcullis.example/audit/2"];
    let expected = expected.map(|name| (name.parse().expect("a name"), Verified::Sound));
    assert_eq!(verified, expected);
}

#[tokio::test]
async fn going_back_to_before_an_accepted_rollback_is_one_too() {
    let service = Service::new();
    let [folder, copied] = ["audit", "copy"].map(|name| service.dir.path().join(name));
    service.write(20).await.expect("it is empty");
    copy(&folder, &copied);
    service.write(10).await.expect("it is sound");
    put_back(&copied, &folder);
    service.accept().await.expect("the anchor answers");
    service.write(1).await.expect("a new log");

    // The anchor knows a log of 4 entries, which is shorter, and later.
    put_back(&copied, &folder);
    assert_eq!(rolled_back(service.write(1).await), (4, 22));
    let third = service.accept().await.expect("the anchor answers");
    assert_eq!(third.number().get(), 3);
    service.write(1).await.expect("a new log");

    // The file that says so is put back alone.
    fs::remove_file(folder.join("generation")).expect("it is there");
    let refused = service.store().await;
    assert!(matches!(
        refused.err(),
        Some(FileStoreError::Damaged { .. })
    ));
}

#[tokio::test]
async fn a_folder_that_was_made_before_a_crash_is_passed_over() {
    let service = Service::new();
    let [folder, copied] = ["audit", "copy"].map(|name| service.dir.path().join(name));
    service.write(20).await.expect("it is empty");
    copy(&folder, &copied);
    service.write(10).await.expect("it is sound");
    put_back(&copied, &folder);
    fs::create_dir(folder.join("generation-2")).expect("there is room");
    assert_eq!(rolled_back(service.write(1).await), (34, 22));
    let begun = service.accept().await.expect("the anchor answers");
    assert_eq!(begun.number().get(), 3);
    service.write(1).await.expect("a new log");
}

#[tokio::test]
async fn an_anchor_that_does_not_answer_is_waited_for() {
    let service = Service::new();
    service.write(20).await.expect("it is empty");
    fs::write(service.dir.path().join("kept"), "no note").expect("there is room");
    let refused = service.accept().await;
    assert!(
        matches!(refused, Err(AcceptError::Anchor { .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn of_a_folder_that_does_not_open_what_it_has_published_tells_what_is_lost() {
    let service = Service::new();
    let [folder, copied] = ["audit", "copy"].map(|name| service.dir.path().join(name));
    service.write(20).await.expect("it is empty");
    copy(&folder.join("journal"), &copied);
    service.write(10).await.expect("it is sound");
    put_back(&copied, &folder.join("journal"));
    let cut = service.store().await.err();
    assert!(
        matches!(cut, Some(FileStoreError::TailCut { .. })),
        "{cut:?}"
    );

    let published = FileAnchor::new("published", folder.join("log/checkpoint"));
    let published = published.latest().await.expect("it is a note");
    // The anchor is that of before.
    fs::remove_file(service.dir.path().join("kept")).expect("it is there");
    let accepted = service.accept_damage(published.as_ref()).await;
    let found = accepted.accepted().expect("there was damage");
    assert_eq!(
        (found.known.size, found.kept.size, found.cause),
        (34, 34, AcceptedFor::Damage)
    );
    let root = hex::encode(found.kept.root.as_bytes());
    let leaves = service.write(1).await.expect("a new log");
    assert_eq!(leaves.len(), 4);
    assert_eq!(
        told_first(&leaves),
        [
            "damaged_log portcullis.example/audit".to_owned(),
            format!("damaged_tree 34:{root}"),
            "known_log portcullis.example/audit".to_owned(),
            format!("known_tree 34:{root}"),
        ]
    );
}

/// Nothing is signed of it that nobody knows.
#[tokio::test]
async fn of_a_damaged_log_that_has_published_nothing_the_next_says_what_anchors_know() {
    let service = Service::new();
    service.write(20).await.expect("it is empty");
    let accepted = service.accept_damage(None).await;
    let found = accepted.accepted().expect("there was damage");
    assert_eq!((found.known.size, found.kept.size), (22, 0));
    let root = hex::encode(found.known.root.as_bytes());
    let leaves = service.write(1).await.expect("a new log");
    let expected = [
        "damaged_log portcullis.example/audit".to_owned(),
        "known_log portcullis.example/audit".to_owned(),
        format!("known_tree 22:{root}"),
    ];
    assert_eq!(told_first(&leaves), expected);

    let service = Service::new();
    service.accept_damage(None).await;
    let leaves = service.write(1).await.expect("a new log");
    let expected =
        ["damaged_log", "known_log"].map(|kind| format!("{kind} portcullis.example/audit"));
    assert_eq!(told_first(&leaves), expected);
}

#[tokio::test]
async fn what_a_start_finds_damaged_is_no_log_to_go_on_with() {
    let service = Service::new();
    service.write(600).await.expect("it is empty");
    let bundle = service.dir.path().join("audit/log/tile/entries/001");
    fs::remove_file(bundle).expect("it is in place");
    let refused = service.write(1).await;
    assert!(
        matches!(refused, Err(OpenError::Store(StoreError::Damaged(_)))),
        "{refused:?}"
    );
    let refused = service.accept().await.expect_err("it is damaged");
    assert!(refused.is_damage(), "{refused}");
}

#[tokio::test]
async fn a_log_whose_key_is_lost_is_followed_by_another_that_says_no_more_than_can_be_verified() {
    let service = Service::new();
    service.write(20).await.expect("it is empty");
    for anchors in [true, false] {
        let (store, current) = service.store().await.expect("the folder is whole");
        let store = Arc::new(store);
        let builder = || {
            let builder = Audit::builder(store.clone(), origin(), Id::constant("node-a"))
                .generation(current.clone())
                .key(known::key_of(0x61));
            if anchors {
                builder.anchor(service.anchor())
            } else {
                builder
            }
        };
        let refused = builder().accept_rollback().await.expect_err("no key");
        assert!(refused.is_damage(), "{refused}");
        let published = store.checkpoint().await.expect("it answers");
        let next = builder().accept_damage(published.as_ref()).await;
        let next = next.expect("no anchor is waited for");
        let found = next.accepted().expect("there was something");
        assert_eq!((found.known.size, found.kept.size), (0, 0));
        assert_eq!((found.cause, next.number().get()), (AcceptedFor::Damage, 2));
        let kept = MemoryStore::new();
        let following = Audit::builder(Arc::new(kept.clone()), origin(), Id::constant("node-a"))
            .generation(next)
            .key(known::key_of(0x61))
            .anchor(service.anchor());
        if anchors {
            let (audit, writing) = following.open().await.expect("the anchor is no obstacle");
            audit.close();
            writing.await;
            let expected = ["damaged_log", "known_log"].map(|kind| format!("{kind} {}", origin()));
            assert_eq!(told_first(&leaves(&kept).await), expected);
        }
        store.close().await.expect("the disk works");
    }
}

#[test]
fn an_origin_that_no_id_can_have_is_told_by_its_hash() {
    let told = |origin: &str| Id::of_origin(&origin.parse().expect("a name")).to_string();
    assert_eq!(told("log.example/audit"), "log.example/audit");
    for origin in ["lög.example", &"o".repeat(129)] {
        let hash = told(origin);
        assert_eq!((hash.len(), &hash[..7]), (71, "sha256:"), "{hash}");
    }
}

#[tokio::test]
async fn a_folder_that_does_not_say_which_log_is_written_is_refused() {
    let service = Service::new();
    let [folder, copied] = ["audit", "copy"].map(|name| service.dir.path().join(name));
    service.write(20).await.expect("it is empty");
    copy(&folder, &copied);
    service.write(10).await.expect("it is sound");
    put_back(&copied, &folder);
    service.accept().await.expect("the anchor answers");
    let file = folder.join("generation");
    let said = fs::read_to_string(&file).expect("it is there");
    for wrong in [said.replace("known 1", "known 2"), String::new()] {
        fs::write(&file, wrong).expect("there is room");
        let refused = service.generations().current();
        assert!(
            matches!(refused, Err(FileStoreError::Damaged { .. })),
            "{refused:?}"
        );
    }
    // It is said again, and the log that it names is gone.
    fs::write(&file, said).expect("there is room");
    let written = service.generations().current().expect("it is as it was");
    let before = service
        .generations()
        .before(&written)
        .expect("it is listed");
    assert_eq!(before, [NonZeroU32::MIN]);
    assert_eq!(service.generations().folder_of_number(before[0]), folder);
    let none = service
        .generations()
        .before(&Generation::FIRST)
        .expect("it is listed");
    assert!(none.is_empty());
    fs::remove_dir(folder.join("generation-2")).expect("it is empty");
    let refused = service.generations().current();
    assert!(
        matches!(refused, Err(FileStoreError::Damaged { .. })),
        "{refused:?}"
    );
}

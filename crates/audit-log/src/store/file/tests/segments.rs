//! The segments of the journal, made and dropped while groups are appended.

use std::{fs::File, io, sync::Condvar};

use super::{
    records::{draft, has_part, key, policy, sealed},
    *,
};
use crate::{
    audit::Audit,
    checkpoint::Checkpoint,
    source::FolderSource,
    verify::{Outcome, Verification},
};

/// A disk on which no segment is made while the gate is closed.
#[derive(Debug, Default)]
struct Gated {
    state: Mutex<Gate>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Gate {
    is_closed: bool,
    is_waited_at: bool,
}

impl Gated {
    fn close(&self, is_closed: bool) {
        self.state.lock().unwrap().is_closed = is_closed;
        self.changed.notify_all();
    }
}

impl Disk for Gated {
    fn write_all_at(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
        if bytes.len() == 64 * 1024 && bytes.iter().all(|byte| *byte == 0) {
            let mut gate = self.state.lock().unwrap();
            while gate.is_closed {
                gate.is_waited_at = true;
                gate = self.changed.wait(gate).unwrap();
            }
        }
        SystemDisk.write_all_at(file, bytes, at)
    }
}

/// About 4 MiB.
async fn append_much(store: &FileStore) {
    let taken = store
        .lock(&[tenant(0), tenant(1), tenant(2)])
        .await
        .unwrap();
    let mut group = Group::new(taken.state());
    let first = group.first();
    for n in first..first + 1_000 {
        group
            .push(&records::event(n), Some(vec![n.to_be_bytes()[7]; 4_000]))
            .unwrap();
    }
    taken.commit(&group).await.unwrap();
}

#[tokio::test]
async fn nobody_waits_for_the_next_segment() {
    let (dir, disk) = (TempDir::new().unwrap(), Arc::new(Gated::default()));
    let builder = FileStore::builder(dir.path()).disk(disk.clone());
    let store = builder.open().await.unwrap();
    disk.close(true);
    append_much(&store).await;
    append_much(&store).await;
    append_much(&store).await;
    eventually("begun", || disk.state.lock().unwrap().is_waited_at).await;
    // There is room for this one in the segment that there is.
    let appended = tokio::time::timeout(Duration::from_secs(60), append(&store, 10));
    appended.await.unwrap().unwrap();
    let segment = dir.path().join("journal/0000000001.paj");
    assert!(!segment.exists());
    disk.close(false);
    eventually("made", || segment.exists()).await;
    append_much(&store).await;
    append_much(&store).await;
    assert_has(&store, 5_010).await;
}

#[tokio::test]
async fn segments_go_once_all_is_in_place_and_nothing_is_lost_with_them() {
    let folder = Folder::new();
    let mut size = 0;
    for _ in 0..2 {
        let store = folder.open_plainly().await;
        assert_eq!(store.size().await.unwrap(), size);
        for _ in 0..12 {
            append_much(&store).await;
            size += 1_000;
        }
        // Two of 16 MiB that are written to, and one that is made.
        eventually("dropped", || names(&folder.path("journal")).len() <= 3).await;
        assert_has(&store, size).await;
        for n in [0, 1, 777, size - 1_000, size - 1] {
            let part = store.personal(n).await.unwrap();
            assert_eq!(part, Some(vec![n.to_be_bytes()[7]; 4_000]), "of {n}");
        }
        store.close().await.unwrap();
        // They are made again from what is left.
        fs::remove_file(folder.path("tenants")).unwrap();
    }
    assert_has(&folder.open_plainly().await, size).await;
}

#[tokio::test]
async fn who_records_does_not_wait_for_an_erasure_to_make_its_segment() {
    let (dir, disk) = (TempDir::new().unwrap(), Arc::new(Gated::default()));
    let builder = FileStore::builder(dir.path()).disk(disk.clone());
    let store = Arc::new(builder.open().await.unwrap());
    append(&store, 300).await.unwrap();
    let origin = key().verifying_key().name().clone();
    let opened = Audit::builder(store.clone(), origin, tenant(0)).key(key());
    let (audit, writing) = opened.open().await.unwrap();
    let writer = tokio::spawn(writing);
    let erased = [4, 292];
    disk.close(true);
    let erasing = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.erase(&erased).await }
    });
    eventually("begun", || disk.state.lock().unwrap().is_waited_at).await;
    // Each is refused after 2 s if it is not durable by then.
    for n in 0..20 {
        audit.record(draft(n), None).await.unwrap();
    }
    let first = store.size().await.unwrap();
    append(&store, 700).await.unwrap();
    // More than a frame of the new journal has room for.
    append_much(&store).await;
    append_much(&store).await;
    assert!(!erasing.is_finished());
    disk.close(false);
    assert_eq!(erasing.await.unwrap().unwrap(), 2);
    let folder = Folder {
        dir,
        disk: Arc::default(),
        told: Arc::default(),
    };
    for n in erased {
        assert_eq!(folder.found(&sealed(n)), Vec::<PathBuf>::new(), "of {n}");
    }
    audit.record(draft(0), None).await.unwrap();
    audit.close();
    writer.await.unwrap();
    store.close().await.unwrap();
    let store = folder.open().await;
    for n in (0..300).chain(first..first + 700) {
        let is_there = has_part(n) && !erased.contains(&n);
        let part = store.personal(n).await.unwrap();
        assert_eq!(part, is_there.then(|| sealed(n)), "of {n}");
    }
    let source = FolderSource::new(&folder.path("log"));
    let report = Verification::new(&source, &policy()).run();
    assert_eq!(report.outcome(), Outcome::Sound, "{report:?}");
    let signed = report.signed.unwrap();
    let size = Checkpoint::size(signed.checkpoint());
    // That it is opened, 20 and one more, and that it is closed.
    assert_eq!(size, 300 + 1 + 20 + 700 + 2_000 + 1 + 1);
}

//! A store in a folder, on a disk that fails.

mod beside;
mod damaged;
mod failures;
mod moved;
mod records;
mod searched;
mod segments;
mod started;
mod verified;

use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tempfile::TempDir;

use self::records::{group, tenant};
use super::*;
use crate::{
    disk::faulty::FaultyDisk,
    event::Leaf,
    store::{Group, LogState},
    tree::RightEdge,
};

/// What a store has told, as text.
#[derive(Debug, Default)]
struct Told(Mutex<Vec<String>>);

impl FileObserver for Told {
    fn observe(&self, event: &FileEvent<'_>) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.push(format!("{event:?}"));
    }
}

impl Told {
    fn has(&self, text: &str) -> bool {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.iter().any(|event| event.contains(text))
    }

    /// Waits until something was told, as long as that may take.
    async fn wait_for(&self, text: &str) {
        for _ in 0..1_000 {
            if self.has(text) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{text} was not told: {self:?}");
    }
}

/// A folder, and what is known of the log in it.
struct Folder {
    dir: TempDir,
    disk: Arc<FaultyDisk>,
    told: Arc<Told>,
}

impl Folder {
    fn new() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
            disk: Arc::default(),
            told: Arc::default(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    async fn open(&self) -> FileStore {
        self.try_open().await.unwrap()
    }

    /// On the disk that fails when it is told to.
    async fn try_open(&self) -> Result<FileStore, FileStoreError> {
        FileStore::builder(self.dir.path())
            .disk(self.disk.clone())
            .observer(self.told.clone())
            .open()
            .await
    }

    /// On that of the machine: quicker, since nothing is remembered.
    async fn open_plainly(&self) -> FileStore {
        let builder = FileStore::builder(self.dir.path()).observer(self.told.clone());
        builder.open().await.unwrap()
    }

    /// After a store that was dropped, which gives the folder back by itself.
    async fn reopened(&self) -> FileStore {
        for _ in 0..1_000 {
            match self.try_open().await {
                Err(FileStoreError::InUse { .. }) => {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                opened => return opened.unwrap(),
            }
        }
        panic!("the folder was not given back");
    }

    /// All bytes of all files, each with its path.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let (mut files, mut folders) = (Vec::new(), vec![self.dir.path().to_owned()]);
        while let Some(folder) = folders.pop() {
            for found in fs::read_dir(folder).unwrap() {
                let path = found.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push((path.clone(), fs::read(&path).unwrap()));
                }
            }
        }
        files
    }

    /// Where some bytes are.
    fn found(&self, bytes: &[u8]) -> Vec<PathBuf> {
        let files = self.files().into_iter();
        files
            .filter(|(_, contents)| contains(contents, bytes))
            .map(|(path, _)| path)
            .collect()
    }
}

fn contains(contents: &[u8], bytes: &[u8]) -> bool {
    let first = bytes[0];
    let mut at = 0;
    while let Some(next) = contents[at..].iter().position(|byte| *byte == first) {
        if contents[at + next..].starts_with(bytes) {
            return true;
        }
        at += next + 1;
    }
    false
}

/// Appends so many events.
async fn append(store: &FileStore, count: u64) -> Result<RightEdge, StoreError> {
    let taken = store.lock(&[tenant(0), tenant(1), tenant(2)]).await?;
    let group = group(taken.state(), count);
    let edge = group.edge_after().clone();
    taken.commit(&group).await?;
    Ok(edge)
}

/// That a log has so many events, each with its numbers.
async fn assert_has(store: &FileStore, size: u64) {
    assert_eq!(store.size().await.unwrap(), size);
    let (mut next, mut of_tenants) = (store.first().await.unwrap(), [None; 3]);
    while next < size {
        let batch = store.entries(next, NonZeroUsize::MAX).await.unwrap();
        for (n, bytes) in batch.iter() {
            let leaf = Leaf::parse(bytes).unwrap();
            assert_eq!((n, leaf.numbers().in_tree), (next, next));
            let of_tenant = &mut of_tenants[usize::try_from(n % 3).unwrap()];
            let number = leaf.numbers().in_tenant;
            assert!(
                of_tenant.is_none_or(|before| before + 1 == number),
                "tn of {n}"
            );
            *of_tenant = Some(number);
            next += 1;
        }
    }
}

/// Waits for something that is done on a thread.
async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..1_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what}: never");
}

fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

//! A store in one file.

mod disk;
mod format;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use async_trait::async_trait;
use tokio::task;

use self::{
    disk::{Folder, Lock},
    format::{Damage, Stamp},
};
use super::{
    ChangeError, DekStore, InsertError, KeyQuery, LoadedKeys, StoreError, StoredKey, tables::Tables,
};
use crate::{
    KeyId, TenantId, Transition,
    entropy::{Entropy as _, SystemEntropy},
    kek::WrappedKey,
};

/// A store in one file, for a service without a database: text, one line for each key. With each change a new
/// file takes the place of the old one. Several processes of one machine may share it.
///
/// A change takes a lock on the file `<path>.lock`, writes and syncs `<path>.new`, renames it and syncs the
/// folder: a process that is killed, whenever that is, leaves the file from before or the new one, and so does a
/// full disk. A file that is damaged is refused, with the line where it is; nothing is written then.
///
/// For some thousand keys: a change costs as much as the file is long. The format is that of `docs/formats.md`.
///
/// [`create`](Self::create) makes the file once; a service [`open`](Self::open)s it. A file that is not there may
/// lie on a volume that is not mounted: an empty one in its place would be sealed under meanwhile, and those keys
/// lost when the volume is back.
///
/// # Security
/// The file is made for its owner alone (0600). Its keys are wrapped; their states are not authenticated, as in a
/// database: who can write the file can take an old key back into use. Bytes of a destroyed key stay on the disk
/// until they are overwritten, and in backups.
#[derive(Debug, Clone)]
pub struct FileDekStore {
    file: Arc<KeyFile>,
}

#[derive(Debug)]
struct KeyFile {
    path: PathBuf,
    folder: Folder,
    /// What stood in the file when it was last read.
    known: Mutex<Option<(Stamp, Arc<Tables>)>>,
    // Threads of this process wait here, and for other processes at the lock.
    turn: Mutex<()>,
}

impl FileDekStore {
    /// Opens a file of keys that is there; of a symbolic link, the file it leads to. It reads, and so blocks for a
    /// moment.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] names the line where the file is damaged, [`StoreError::Migration`] says that a
    /// later version has written it, and [`StoreError::Unavailable`] that it cannot be read or is not there:
    /// nothing is made then.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let file = KeyFile::at(disk::find(path.as_ref())?);
        file.read()?;
        Ok(Self {
            file: Arc::new(file),
        })
    }

    /// Makes an empty file of keys, and opens it; its folder has to be there. It writes, and so blocks for a
    /// moment.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when anything has this name already, be it a link that leads nowhere, or when
    /// it cannot be made.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let file = KeyFile::at(disk::find_folder_of(path.as_ref())?);
        file.make()?;
        Ok(Self {
            file: Arc::new(file),
        })
    }

    /// The file, by its absolute path without links.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Tables) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        self.run(|file| Ok(read(&*file.read()?))).await
    }

    async fn change<E: From<StoreError> + Send + 'static>(
        &self,
        change: impl FnOnce(&mut Tables) -> Result<(), E> + Send + 'static,
    ) -> Result<(), E> {
        self.run(|file| file.change(change)).await
    }

    /// On a thread that may block.
    async fn run<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        work: impl FnOnce(&KeyFile) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let file = Arc::clone(&self.file);
        let done = task::spawn_blocking(move || work(&file)).await;
        done.map_err(|error| StoreError::Unavailable(error.into()))?
    }
}

impl KeyFile {
    fn at(path: PathBuf) -> Self {
        Self {
            folder: Folder::of(&path),
            path,
            known: Mutex::default(),
            turn: Mutex::default(),
        }
    }

    fn make(&self) -> Result<(), StoreError> {
        let _lock = self.lock()?;
        disk::is_free(&self.path)?;
        self.replace(&Tables::default())
    }

    /// What is in the file now.
    fn read(&self) -> Result<Arc<Tables>, StoreError> {
        let mut file = disk::open(&self.path)?;
        let head = disk::read_head(&mut file, &self.path)?;
        let stamp = format::stamp(&head).map_err(|damage| self.damaged(damage))?;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, tables)) = known.as_ref().filter(|(of, _)| *of == stamp) {
            return Ok(Arc::clone(tables));
        }
        let text = disk::read_rest(head, file, &self.path)?;
        let tables = format::parse(&text).map_err(|damage| self.damaged(damage))?;
        let tables = Arc::new(tables);
        *known = Some((stamp, Arc::clone(&tables)));
        Ok(tables)
    }

    fn change<E: From<StoreError>>(
        &self,
        change: impl FnOnce(&mut Tables) -> Result<(), E>,
    ) -> Result<(), E> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock = self.lock()?;
        let mut tables = Tables::clone(&*self.read()?);
        change(&mut tables)?;
        Ok(self.replace(&tables)?)
    }

    /// All that a change does, but that the file stays.
    fn check(&self) -> Result<(), StoreError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock = self.lock()?;
        let text = format::write(&*self.read()?, make_stamp()?);
        let draft = self.folder.write_draft(&text)?;
        draft.remove()
    }

    fn replace(&self, tables: &Tables) -> Result<(), StoreError> {
        let text = format::write(tables, make_stamp()?);
        let draft = self.folder.write_draft(&text)?;
        draft.put_in_place(&self.path)
    }

    fn lock(&self) -> Result<Lock, StoreError> {
        self.folder.lock()
    }

    fn damaged(&self, damage: Damage) -> StoreError {
        damage.in_file(&self.path)
    }
}

/// Two files with one stamp are the same.
fn make_stamp() -> Result<Stamp, StoreError> {
    let mut stamp = [0; 8];
    let made = SystemEntropy::new().fill(&mut stamp);
    made.map_err(|error| StoreError::Unavailable(error.into()))?;
    Ok(Stamp(stamp))
}

/// The keys in the text of a file, and the text that is written of the same.
#[cfg(feature = "fuzzing")]
pub(crate) fn written_again(text: &[u8]) -> Result<(Vec<StoredKey>, String), StoreError> {
    let in_file = |damage: Damage| damage.in_file(Path::new("keys"));
    let tables = format::parse(text).map_err(in_file)?;
    let stamp = format::stamp(text).map_err(in_file)?;
    let keys = tables.all().cloned().collect();
    Ok((keys, format::write(&tables, stamp)))
}

#[async_trait]
impl DekStore for FileDekStore {
    async fn insert(&self, key: &StoredKey) -> Result<(), InsertError> {
        let key = key.clone();
        self.change(move |tables| tables.insert(&key)).await
    }

    async fn load(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        self.read(move |tables| tables.find(id).cloned()).await
    }

    async fn load_tenant(&self, tenant: &TenantId) -> Result<LoadedKeys, StoreError> {
        let tenant = tenant.clone();
        let read = move |tables: &Tables| tables.of_tenant(&tenant).cloned().collect::<Vec<_>>();
        Ok(self.read(read).await?.into())
    }

    async fn load_many(&self, ids: &[KeyId]) -> Result<LoadedKeys, StoreError> {
        let ids = ids.to_vec();
        let read = move |tables: &Tables| {
            let keys = ids.iter().filter_map(|id| tables.find(*id));
            keys.cloned().collect::<Vec<_>>()
        };
        Ok(self.read(read).await?.into())
    }

    async fn list(&self, query: &KeyQuery) -> Result<LoadedKeys, StoreError> {
        let query = query.clone();
        Ok(self.read(move |tables| tables.list(&query)).await?.into())
    }

    async fn check(&self) -> Result<(), StoreError> {
        self.run(KeyFile::check).await
    }

    async fn changes(&self) -> Result<Option<u64>, StoreError> {
        self.read(|tables| Some(tables.changes())).await
    }

    async fn promote(&self, old: KeyId, new: KeyId, at: SystemTime) -> Result<(), ChangeError> {
        self.change(move |tables| tables.promote(old, new, at))
            .await
    }

    async fn change(&self, id: KeyId, step: Transition, at: SystemTime) -> Result<(), ChangeError> {
        Self::change(self, move |tables| tables.change(id, step, at)).await
    }

    async fn rewrap(
        &self,
        id: KeyId,
        old: &WrappedKey,
        new: &WrappedKey,
    ) -> Result<(), ChangeError> {
        let (old, new) = (old.clone(), new.clone());
        Self::change(self, move |tables| tables.rewrap(id, &old, &new)).await
    }

    async fn erase_tenant(&self, tenant: &TenantId, at: SystemTime) -> Result<(), StoreError> {
        let tenant = tenant.clone();
        let erase = move |tables: &mut Tables| {
            tables.erase_tenant(&tenant, at);
            Ok(())
        };
        Self::change(self, erase).await
    }
}

#[cfg(test)]
mod tests;

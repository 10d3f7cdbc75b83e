//! The sealed personal parts of events whose entries are in bundles: what can be erased, beside what cannot.

mod record;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use self::record::{Record, records};
use super::{FileStoreError, file_error::failed};
use crate::{bounded_file, disk::Disk, folder::WholeFiles};

/// Files of the parts of 1,024 events each. Parts are appended; what is erased is left out when the whole file is
/// replaced, and a file without any goes.
#[derive(Debug)]
pub(super) struct PersonalFiles {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
}

/// The events of one file.
const EVENTS: u64 = 1024;
/// What the parts of so many events take, were each as long as a record can tell.
const MAX_BYTES: usize = 1024 * (u16::MAX as usize + 64);
const SUFFIX: &str = ".pap";
const DIGITS: usize = 16;

impl PersonalFiles {
    pub(super) fn new(disk: Arc<dyn Disk>, folder: &Path) -> Self {
        Self {
            disk,
            folder: folder.to_owned(),
        }
    }

    /// Takes up the files after a start. What they have of events from `size` on, the journal has too, and a crash may
    /// have torn it.
    pub(super) fn take_up(&self, size: u64) -> Result<(), FileStoreError> {
        fs::create_dir_all(&self.folder).map_err(failed("make", &self.folder))?;
        for number in self.numbers()?.into_iter().rev() {
            let path = self.path_of(number);
            let bytes = self.read_file(number)?;
            let before = records(&bytes).filter(|record| record.n < size);
            let end = before.last().map_or(0, |last| last.end);
            if end < bytes.len() {
                let file = self.open_file(&path)?;
                file.set_len(end as u64)
                    .and_then(|()| file.sync_all())
                    .map_err(failed("cut", &path))?;
            }
            if number < size / EVENTS {
                break;
            }
        }
        Ok(())
    }

    /// Appends parts in the order of their events, and waits until they are on the disk. Those that are there already,
    /// since a disk failed after them, stay as they are.
    pub(super) fn append<'a>(
        &self,
        parts: impl Iterator<Item = (u64, &'a [u8])>,
    ) -> Result<(), FileStoreError> {
        let mut files = BTreeMap::<u64, Vec<(u64, &[u8])>>::new();
        for (n, sealed) in parts {
            files.entry(n / EVENTS).or_default().push((n, sealed));
        }
        for (number, parts) in files {
            let there = self.read_file(number)?;
            let (mut end, mut last) = (0, None);
            for record in records(&there) {
                (end, last) = (record.end, Some(record.n));
            }
            let mut bytes = Vec::new();
            for (n, sealed) in parts {
                if last.is_none_or(|last| n > last) {
                    record::write(n, sealed, &mut bytes);
                }
            }
            let path = self.path_of(number);
            let file = self.open_file(&path)?;
            self.disk
                .write_all_at(&file, &bytes, end as u64)
                .map_err(failed("write", &path))?;
            self.disk.sync_data(&file).map_err(failed("sync", &path))?;
            if there.is_empty() {
                self.sync_folder()?;
            }
        }
        Ok(())
    }

    /// The sealed part of an event, if there is one.
    pub(super) fn read(&self, n: u64) -> Result<Option<Vec<u8>>, FileStoreError> {
        let bytes = self.read_file(n / EVENTS)?;
        let (mut at, mut is_whole) = (0, true);
        for record in records(&bytes) {
            if record.n == n {
                return Ok(Some(record.sealed.to_vec()));
            }
            is_whole &= record.begin == at;
            at = record.end;
        }
        if is_whole && at == bytes.len() {
            return Ok(None);
        }
        Err(FileStoreError::Damaged {
            path: self.path_of(n / EVENTS),
            what: "a personal part in it cannot be read",
        })
    }

    /// Whether there is a part of an event; one that cannot be read may be its own.
    pub(super) fn has(&self, n: u64) -> Result<bool, FileStoreError> {
        match self.read(n) {
            Ok(part) => Ok(part.is_some()),
            Err(FileStoreError::Damaged { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Erases the parts of these events, and gives how many there were. Nothing of them is in any file afterwards.
    pub(super) fn erase(&self, events: &BTreeSet<u64>) -> Result<u64, FileStoreError> {
        let numbers: BTreeSet<_> = events.iter().map(|n| n / EVENTS).collect();
        let mut erased = 0;
        for number in numbers {
            erased += self.keep(number, |record| !events.contains(&record.n))?;
        }
        Ok(erased)
    }

    /// Erases the parts of all events before this one.
    pub(super) fn erase_before(&self, n: u64) -> Result<(), FileStoreError> {
        for number in self.numbers()? {
            if number > n / EVENTS {
                break;
            }
            self.keep(number, |record| record.n >= n)?;
        }
        Ok(())
    }

    /// Replaces a file by one with some of its records. Bytes that can be read no more may be of those that go.
    fn keep(
        &self,
        number: u64,
        is_kept: impl Fn(&Record<'_>) -> bool,
    ) -> Result<u64, FileStoreError> {
        let bytes = self.read_file(number)?;
        // What a replacement left that failed may have what goes.
        WholeFiles::for_owner(&*self.disk, &self.folder).remove_draft()?;
        let (mut kept, mut gone) = (Vec::new(), 0);
        for record in records(&bytes) {
            if is_kept(&record) {
                kept.extend_from_slice(&bytes[record.begin..record.end]);
            } else {
                gone += 1;
            }
        }
        if kept.len() == bytes.len() {
            return Ok(0);
        }
        if kept.is_empty() {
            let path = self.path_of(number);
            fs::remove_file(&path).map_err(failed("remove", &path))?;
            self.sync_folder()?;
        } else {
            let mut files = WholeFiles::for_owner(&*self.disk, &self.folder);
            files.put(&name_of(number), &kept)?;
            files.finish()?;
        }
        Ok(gone)
    }

    /// The numbers of the files, in their order.
    fn numbers(&self) -> Result<Vec<u64>, FileStoreError> {
        let found = fs::read_dir(&self.folder).map_err(failed("read", &self.folder))?;
        let mut numbers = Vec::new();
        for file in found {
            let name = file.map_err(failed("read", &self.folder))?.file_name();
            numbers.extend(name.to_str().and_then(number_of));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn read_file(&self, number: u64) -> Result<Vec<u8>, FileStoreError> {
        let path = self.path_of(number);
        match bounded_file::read(&path, MAX_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            read => read.map_err(failed("read", &path)),
        }
    }

    fn open_file(&self, path: &Path) -> Result<File, FileStoreError> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)
            .map_err(failed("open", path))
    }

    fn path_of(&self, number: u64) -> PathBuf {
        self.folder.join(name_of(number))
    }

    fn sync_folder(&self) -> Result<(), FileStoreError> {
        File::open(&self.folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failed("sync", &self.folder))
    }
}

fn name_of(number: u64) -> String {
    format!("{number:0DIGITS$}{SUFFIX}")
}

fn number_of(name: &str) -> Option<u64> {
    let number = name.strip_suffix(SUFFIX)?.parse().ok()?;
    (name_of(number) == name).then_some(number)
}

#[cfg(test)]
mod tests;

//! A disk that fails when it is told to, and forgets what was not synced when the machine goes down.

use std::{
    collections::{HashMap, VecDeque},
    fs::File,
    io,
    ops::Range,
    os::unix::fs::{FileExt as _, MetadataExt as _},
    path::Path,
    sync::Mutex,
};

use super::Disk;

/// What happens to one of the next writes or syncs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The disk is full after this many bytes of the next write.
    Full { after: usize },
    /// The next sync fails. What it was to write stays in memory, and the system takes it for written.
    Sync,
}

#[derive(Debug, Default)]
pub(crate) struct FaultyDisk(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Each with the number of writes or syncs that it lets pass.
    faults: VecDeque<(usize, Fault)>,
    is_full: bool,
    files: HashMap<u64, Kept>,
}

#[derive(Debug)]
struct Kept {
    file: File,
    on_disk: Vec<u8>,
    dirty: Vec<Range<u64>>,
}

impl FaultyDisk {
    pub(crate) fn fail(&self, fault: Fault) {
        self.fail_later(0, fault);
    }

    /// As [`fail`](Self::fail), after so many writes or syncs that do not fail.
    pub(crate) fn fail_later(&self, passing: usize, fault: Fault) {
        self.0.lock().unwrap().faults.push_back((passing, fault));
    }

    /// Nothing fails any more that did not yet.
    pub(crate) fn heal(&self) {
        self.0.lock().unwrap().faults.clear();
    }

    /// Whether there is no room for a file to become longer.
    pub(crate) fn fill(&self, is_full: bool) {
        self.0.lock().unwrap().is_full = is_full;
    }

    /// The machine goes down: of each file there is what was synced.
    pub(crate) fn lose_power(&self) {
        let mut state = self.0.lock().unwrap();
        for kept in state.files.values_mut() {
            kept.file.set_len(0).unwrap();
            kept.file.write_all_at(&kept.on_disk, 0).unwrap();
            kept.dirty.clear();
        }
    }
}

impl State {
    /// The fault that it is the turn of, if it is of this kind.
    fn fault(&mut self, is_its_kind: impl Fn(Fault) -> bool) -> Option<Fault> {
        let (passing, fault) = self.faults.front_mut()?;
        if !is_its_kind(*fault) {
            return None;
        }
        if *passing > 0 {
            *passing -= 1;
            return None;
        }
        self.faults.pop_front().map(|(_, fault)| fault)
    }

    fn kept(&mut self, file: &File) -> &mut Kept {
        let inode = file.metadata().unwrap().ino();
        self.files.entry(inode).or_insert_with(|| Kept {
            file: file.try_clone().unwrap(),
            on_disk: contents(file),
            dirty: Vec::new(),
        })
    }
}

impl Disk for FaultyDisk {
    fn write_all_at(&self, file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        let mut written = bytes.len();
        let mut is_full = false;
        if let Some(Fault::Full { after }) =
            state.fault(|fault| matches!(fault, Fault::Full { .. }))
        {
            written = written.min(after);
            is_full = true;
        }
        if state.is_full && at + written as u64 > file.metadata()?.len() {
            written = 0;
            is_full = true;
        }
        let kept = state.kept(file);
        kept.dirty.push(at..at + written as u64);
        file.write_all_at(&bytes[..written], at)?;
        if is_full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn hurry(&self, _: &Path) {}

    fn sync_data(&self, file: &File) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        let fails = state.fault(|fault| fault == Fault::Sync).is_some();
        let kept = state.kept(file);
        let dirty = std::mem::take(&mut kept.dirty);
        if fails {
            return Err(io::Error::other("the disk failed"));
        }
        for range in dirty {
            let (start, end) = (usize_of(range.start), usize_of(range.end));
            let length = kept.on_disk.len().max(end);
            kept.on_disk.resize(length, 0);
            file.read_exact_at(&mut kept.on_disk[start..end], range.start)?;
        }
        Ok(())
    }
}

fn contents(file: &File) -> Vec<u8> {
    let mut bytes = vec![0; usize_of(file.metadata().unwrap().len())];
    file.read_exact_at(&mut bytes, 0).unwrap();
    bytes
}

fn usize_of(number: u64) -> usize {
    number.try_into().unwrap()
}

//! A disk that fails when it is told to, and forgets what was not synced when the machine goes down.

use std::{
    collections::{HashMap, VecDeque},
    fs::File,
    io,
    ops::Range,
    os::unix::fs::{FileExt as _, MetadataExt as _},
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
    faults: VecDeque<Fault>,
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
        self.0.lock().unwrap().faults.push_back(fault);
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
        let is_full = matches!(state.faults.front(), Some(Fault::Full { .. }));
        if is_full && let Some(Fault::Full { after }) = state.faults.pop_front() {
            written = written.min(after);
        }
        let kept = state.kept(file);
        kept.dirty.push(at..at + written as u64);
        file.write_all_at(&bytes[..written], at)?;
        if is_full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn sync_data(&self, file: &File) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        let fails = state.faults.front() == Some(&Fault::Sync);
        if fails {
            state.faults.pop_front();
        }
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

//! The files of a journal.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use super::{JournalError, SEGMENT_BYTES, journal_error::failed};
use crate::disk::Disk;

/// A preallocated file that frames are written to.
#[derive(Debug)]
pub(super) struct Segment {
    number: u64,
    path: PathBuf,
    file: File,
    used: u64,
}

/// What zeros are written from.
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];
const SUFFIX: &str = ".paj";
const DIGITS: usize = 10;

/// A segment that is made and has not its name yet.
#[derive(Debug)]
pub(super) struct Draft {
    number: u64,
    path: PathBuf,
    file: File,
}

impl Draft {
    /// Zeros are written, and not only reserved: frames then change no metadata, which every sync would have to write,
    /// and there is room on every file system.
    pub(super) fn make(
        disk: &dyn Disk,
        folder: &Path,
        number: u64,
        extension: &str,
    ) -> Result<Self, JournalError> {
        let path = path_of(folder, number).with_extension(extension);
        let file = for_owner()
            .create(true)
            .truncate(true)
            .open(&path)
            .map_err(failed("make", &path))?;
        let written = zero(disk, &file, 0, SEGMENT_BYTES.into());
        if let Err(source) = written.and_then(|()| disk.sync_data(&file)) {
            // It may be what fills the disk; a start removes it if this does not.
            let _ = fs::remove_file(&path);
            return Err(failed("make", &path)(source));
        }
        Ok(Self { number, path, file })
    }

    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn remove(self) -> Result<(), JournalError> {
        fs::remove_file(&self.path).map_err(failed("remove", &self.path))
    }

    /// Gives it its name: no name that a start looks at has fewer bytes than all.
    pub(super) fn put(self, folder: &Path) -> Result<Segment, JournalError> {
        let Self {
            number,
            path: draft,
            file,
        } = self;
        let path = path_of(folder, number);
        fs::rename(&draft, &path)
            .and_then(|()| sync_folder(folder))
            .map_err(failed("make", &path))?;
        Ok(Segment {
            number,
            path,
            file,
            used: 0,
        })
    }
}

impl Segment {
    /// Makes a segment.
    pub(super) fn make(disk: &dyn Disk, folder: &Path, number: u64) -> Result<Self, JournalError> {
        Draft::make(disk, folder, number, "new")?.put(folder)
    }

    /// A segment that is there, of which `used` bytes are frames.
    pub(super) fn open(folder: &Path, number: u64, used: u64) -> Result<Self, JournalError> {
        let path = folder.join(name_of(number));
        let file = for_owner().open(&path).map_err(failed("open", &path))?;
        Ok(Self {
            number,
            path,
            file,
            used,
        })
    }

    /// Writes the last frame once more and zeros behind it, up to `end`. Whether what was read is on the disk, only a
    /// sync after a write tells: it may have been in memory alone, since a sync of it failed.
    pub(super) fn settle(
        &self,
        disk: &dyn Disk,
        last_frame: &[u8],
        end: u64,
    ) -> Result<(), JournalError> {
        let at = self.used.saturating_sub(last_frame.len() as u64);
        disk.write_all_at(&self.file, last_frame, at)
            .and_then(|()| zero(disk, &self.file, self.used, end))
            .and_then(|()| disk.sync_data(&self.file))
            .map_err(failed("settle", &self.path))
    }

    /// Its folder has another name by now.
    pub(super) fn has_moved_to(&mut self, folder: &Path) {
        self.path = path_of(folder, self.number);
    }

    /// Whether a frame of this length ends in it.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.used + bytes as u64 <= SEGMENT_BYTES.into()
    }

    pub(super) fn is_half_used(&self) -> bool {
        self.used >= u64::from(SEGMENT_BYTES / 2)
    }

    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// Writes a frame behind the last, and waits until it is on the disk. After a failure nobody knows what is.
    pub(super) fn append(&mut self, disk: &dyn Disk, frame: &[u8]) -> Result<(), JournalError> {
        disk.write_all_at(&self.file, frame, self.used)
            .map_err(failed("write", &self.path))?;
        disk.sync_data(&self.file)
            .map_err(failed("sync", &self.path))?;
        self.used += frame.len() as u64;
        Ok(())
    }

    /// Whether its path still leads to the file that frames are written to, and that is as long as it was made.
    pub(super) fn is_in_place(&self) -> bool {
        let identity = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
        let (there, open) = (fs::symlink_metadata(&self.path), self.file.metadata());
        there
            .and_then(|there| Ok(identity(&there) == identity(&open?) && is_whole(&there)))
            .unwrap_or(false)
    }
}

/// Whether the file of a segment is there, and as long as it was made.
pub(super) fn is_there(folder: &Path, number: u64) -> bool {
    fs::symlink_metadata(path_of(folder, number)).is_ok_and(|there| is_whole(&there))
}

/// Of a segment that has its name, a crash takes nothing away.
pub(super) fn is_whole(there: &fs::Metadata) -> bool {
    there.is_file() && there.len() >= SEGMENT_BYTES.into()
}

/// The numbers of the segments in a folder, in their order. What was being made is removed.
pub(super) fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    for file in fs::read_dir(folder)? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "new") {
            fs::remove_file(&path)?;
        }
    }
    listed(folder)
}

/// The same, and nothing is removed.
pub(super) fn listed(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for file in fs::read_dir(folder)? {
        numbers.extend(file?.file_name().to_str().and_then(number_of));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

pub(super) fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(name_of(number))
}

/// Removes a segment. Should it be there again after a crash, it has nothing that is not known.
pub(super) fn remove(folder: &Path, number: u64) -> Result<(), JournalError> {
    let path = path_of(folder, number);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(failed("remove", &path)(error))
        }
        _ => Ok(()),
    }
}

/// That names in a folder are on the disk.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn name_of(number: u64) -> String {
    format!("{number:0DIGITS$}{SUFFIX}")
}

fn number_of(name: &str) -> Option<u64> {
    let number = name.strip_suffix(SUFFIX)?.parse().ok()?;
    (name_of(number) == name).then_some(number)
}

fn zero(disk: &dyn Disk, file: &File, from: u64, end: u64) -> io::Result<()> {
    let mut at = from;
    while at < end {
        let length = ZEROS
            .len()
            .min(usize::try_from(end - at).unwrap_or(usize::MAX));
        disk.write_all_at(file, &ZEROS[..length], at)?;
        at += length as u64;
    }
    Ok(())
}

/// Options for a file that others cannot read, and no link.
fn for_owner() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

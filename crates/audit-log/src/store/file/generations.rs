//! Which log is written in a folder.

use std::{
    fs, io,
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use super::{FileStoreError, file_error::failed};
use crate::{audit::Generation, bounded_file, disk::SystemDisk, folder::WholeFiles};

/// The logs of one origin in a folder, and which of them is written. Nothing of an earlier one is changed or moved: the
/// first is in the folder itself, the second in `generation-2` within it.
///
/// The calls block. Who begins a log has the store of the one before open, so that no two do.
#[derive(Debug, Clone)]
pub struct FileGenerations {
    folder: PathBuf,
}

/// The name of the file: a [`Generation`] as text. None says that it is the first.
const NAME: &str = "generation";

/// Many times what a number and what guards it take.
const MAX_BYTES: usize = 4096;

/// What the folders of later logs are called, before their number.
const PREFIX: &str = "generation-";

impl FileGenerations {
    /// Those in this folder.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// The one that is written.
    ///
    /// # Errors
    /// [`FileStoreError::Damaged`] if the file that says so is not what was written, or the folder has a later log.
    pub fn current(&self) -> Result<Generation, FileStoreError> {
        let path = self.folder.join(NAME);
        let damaged = |what| FileStoreError::Damaged {
            path: path.clone(),
            what,
        };
        let current = match bounded_file::read_text(&path, MAX_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Generation::FIRST,
            read => {
                let text = read.map_err(failed("read", &path))?;
                let parsed = text.parse();
                parsed
                    .map_err(|_| damaged("it does not say which log is written; put back a copy"))?
            }
        };
        let number = current.number();
        if self.highest()?.is_some_and(|highest| highest > number) {
            return Err(damaged(
                "there is a later log than it says; put back a copy of it",
            ));
        }
        if number > NonZeroU32::MIN && !self.folder_of(&current).is_dir() {
            return Err(damaged(
                "the log that it names is not there; put back a copy of that",
            ));
        }
        Ok(current)
    }

    /// The numbers of the logs that one has followed, from the first.
    ///
    /// # Errors
    /// [`FileStoreError::Io`].
    pub fn before(&self, written: &Generation) -> Result<Vec<NonZeroU32>, FileStoreError> {
        let mut numbers = self.numbers()?;
        numbers.push(NonZeroU32::MIN);
        numbers.retain(|number| *number < written.number());
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The folder of the log of that number, for [`FileStore::builder`](super::FileStore::builder).
    #[must_use]
    pub fn folder_of_number(&self, number: NonZeroU32) -> PathBuf {
        self.numbered(number)
    }

    /// The folder of one of the logs, for [`FileStore::builder`](super::FileStore::builder).
    #[must_use]
    pub fn folder_of(&self, generation: &Generation) -> PathBuf {
        self.numbered(generation.number())
    }

    /// Makes a folder for a log, and says that it is written from then on. Gives it with the number that it has now: a
    /// higher one, if there is a folder of its own already. A crash leaves the log before as the one that is written.
    ///
    /// # Errors
    /// [`FileStoreError`]; the log before is still the one that is written, unless only the last sync failed.
    pub fn begin(&self, accepted: &Generation) -> Result<Generation, FileStoreError> {
        let mut begun = accepted.clone();
        loop {
            let folder = self.folder_of(&begun);
            match fs::create_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => {
                    made.map_err(failed("make", &folder))?;
                    break;
                }
            }
            let next = begun.renumbered(begun.number().saturating_add(1));
            if next == begun {
                let source = io::ErrorKind::AlreadyExists.into();
                return Err(failed("make", &folder)(source));
            }
            begun = next;
        }
        let mut files = WholeFiles::for_owner(&SystemDisk, &self.folder);
        files.put(NAME, begun.to_string().as_bytes())?;
        files.finish()?;
        Ok(begun)
    }

    fn numbered(&self, number: NonZeroU32) -> PathBuf {
        if number == NonZeroU32::MIN {
            return self.folder.clone();
        }
        self.folder.join(format!("{PREFIX}{number}"))
    }

    /// The highest number of a folder that has something in it.
    fn highest(&self) -> Result<Option<NonZeroU32>, FileStoreError> {
        Ok(self.numbers()?.into_iter().max())
    }

    /// The numbers of the folders that have something in them: an empty one was made before a crash.
    fn numbers(&self) -> Result<Vec<NonZeroU32>, FileStoreError> {
        let listed = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            listed => listed.map_err(failed("list", &self.folder))?,
        };
        let mut numbers = Vec::new();
        for entry in listed {
            let name = entry.map_err(failed("list", &self.folder))?.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
            let Some(number) = number.and_then(|number| number.parse().ok()) else {
                continue;
            };
            let folder = self.numbered(number);
            let mut within = fs::read_dir(&folder).map_err(failed("list", &folder))?;
            if within.next().is_some() {
                numbers.push(number);
            }
        }
        Ok(numbers)
    }
}

//! What was damaged of a journal by somebody else, on record beside it.

use std::{
    fs::{self, DirBuilder},
    io,
    ops::Range,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use super::{JournalError, journal_error::failed, segment::sync_folder};

/// The damages of one journal: for each a folder `damaged/<number>.<first>-<end>`, with what was there of the journal
/// in it, as `journal`. The record stays until somebody takes it away, also where nothing of the journal was left.
#[derive(Debug, Clone)]
pub(crate) struct DamagedJournals {
    folder: PathBuf,
}

/// One damage.
#[derive(Debug, Clone)]
struct Record {
    number: u64,
    /// The entries that the journal had.
    entries: Range<u64>,
    path: PathBuf,
}

/// The folder beside that of the journal.
const NAME: &str = "damaged";

/// What was there of the journal, within a record.
const KEPT: &str = "journal";

/// Records at most: what is damaged later is replaced all the same, and nothing of it is kept.
const MAX_RECORDS: usize = 8;

impl DamagedJournals {
    /// Those of the journal in that folder.
    pub(crate) fn beside(journal: &Path) -> Self {
        let folder = journal.with_file_name(NAME);
        Self { folder }
    }

    /// The entries of each that is on record, the oldest first.
    pub(crate) fn entries(&self) -> Result<Vec<Range<u64>>, JournalError> {
        let records = self.records()?.into_iter();
        Ok(records.map(|record| record.entries).collect())
    }

    /// Puts a damage on record, of a journal that had these entries, unless there are as many as are kept. It is on the
    /// disk then.
    pub(crate) fn begin(&self, entries: &Range<u64>) -> Result<(), JournalError> {
        let records = self.records()?;
        if records.len() >= MAX_RECORDS {
            return Ok(());
        }
        self.make(&self.folder)?;
        let number = records.last().map_or(1, |last| last.number + 1);
        let Range { start, end } = entries;
        self.make(&self.folder.join(format!("{number}.{start}-{end}")))
    }

    /// Puts what there is of the journal into the last record, or removes it, if that has one already.
    pub(crate) fn take(&self, journal: &Path) -> Result<(), JournalError> {
        let Ok(there) = fs::symlink_metadata(journal) else {
            return Ok(());
        };
        let last = self.records()?.pop();
        let place = last.map(|record| record.path.join(KEPT));
        match place.filter(|place| fs::symlink_metadata(place).is_err()) {
            Some(place) => fs::rename(journal, &place)
                .and_then(|()| sync_above(&place))
                .and_then(|()| sync_above(journal))
                .map_err(failed("set aside", journal)),
            None if there.is_dir() => {
                fs::remove_dir_all(journal).map_err(failed("remove", journal))
            }
            None => fs::remove_file(journal).map_err(failed("remove", journal)),
        }
    }

    /// Removes what is kept of the journals that may have some entries. That they were damaged stays on record.
    pub(crate) fn forget(
        &self,
        has_some: impl Fn(&Range<u64>) -> bool,
    ) -> Result<(), JournalError> {
        for record in self.records()? {
            if has_some(&record.entries) {
                self.take_out(&record)?;
            }
        }
        Ok(())
    }

    fn take_out(&self, record: &Record) -> Result<(), JournalError> {
        let kept = record.path.join(KEPT);
        let removed = match fs::symlink_metadata(&kept) {
            Ok(there) if there.is_dir() => fs::remove_dir_all(&kept),
            Ok(_) => fs::remove_file(&kept),
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("remove", &kept)(error))
            }
            _ => Ok(()),
        }
    }

    fn make(&self, folder: &Path) -> Result<(), JournalError> {
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => sync_above(folder),
        }
        .map_err(failed("make", folder))
    }

    fn records(&self) -> Result<Vec<Record>, JournalError> {
        let listed = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            listed => listed.map_err(failed("read", &self.folder))?,
        };
        let mut records = Vec::new();
        for found in listed {
            let path = found.map_err(failed("read", &self.folder))?.path();
            records.extend(Record::at(path));
        }
        records.sort_unstable_by_key(|record| record.number);
        Ok(records)
    }
}

impl Record {
    fn at(path: PathBuf) -> Option<Self> {
        let (number, entries) = path.file_name()?.to_str()?.split_once('.')?;
        let (start, end) = entries.split_once('-')?;
        Some(Self {
            number: number.parse().ok()?,
            entries: start.parse().ok()?..end.parse().ok()?,
            path,
        })
    }
}

fn sync_above(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), sync_folder)
}

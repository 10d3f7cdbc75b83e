//! A store in a folder, from what a process before left there.

use std::{
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64},
        mpsc,
    },
};

use tokio::sync::{Mutex as AsyncMutex, Notify};

use super::{
    FileStoreBuilder, FileStoreError,
    bundles::{self, Bundles, WIDE},
    cursors::Cursors,
    file_error::failed,
    folder_lock::FolderLock,
    index_file::IndexFile,
    log::{CURSORS, INDEX, JOURNAL, Log, PERSONAL, PUBLISHED},
    number_file::{ACKNOWLEDGED, FIRST},
    personal_files::PersonalFiles,
    recent::Recent,
    tenants_file::Tenants,
    upkeep::Upkeep,
    writer::Writer,
};
use crate::{
    checkpoint::Checkpoint,
    event::Leaf,
    folder::LogFolder,
    journal::{Damage, DamagedJournals, Journal, JournalError, Replacement},
    tree::{RightEdge, TreeHash},
};

/// Opens a folder. What follows the journal has its own thread from then on.
pub(super) fn open(builder: FileStoreBuilder) -> Result<Arc<Log>, FileStoreError> {
    let FileStoreBuilder {
        folder,
        disk,
        clock,
        observer,
        is_cut_accepted,
    } = builder;
    fs::create_dir_all(&folder).map_err(failed("make", &folder))?;
    let lock = FolderLock::take(&folder)?;
    let published = LogFolder::open_on(Arc::clone(&disk), &folder.join(PUBLISHED))?;
    let edge = published.edge().clone();
    let bundles = Bundles {
        folder: folder.join(PUBLISHED),
    };
    let first = FIRST.read(&folder)?.unwrap_or(0);
    check_first(&bundles, first, edge.size())?;
    let acknowledged = ACKNOWLEDGED.read(&folder)?;
    let kept = Tenants::read(&folder)?;
    let tenants = tenants_of(kept, &bundles, first, edge.size())?;
    let personal = PersonalFiles::new(Arc::clone(&disk), &folder.join(PERSONAL));
    personal.take_up(edge.size())?;
    let (upkeep, commands) = mpsc::channel();
    let writer = Writer::new(lock, edge.clone(), tenants.clone());
    let journal = folder.join(JOURNAL);
    let log = Arc::new(Log {
        damaged: DamagedJournals::beside(&journal),
        index: IndexFile::open(Arc::clone(&disk), &folder.join(INDEX))?,
        cursors: Cursors::open(Arc::clone(&disk), &folder.join(CURSORS))?,
        folder,
        disk,
        clock,
        observer,
        bundles,
        personal,
        writer: Arc::new(AsyncMutex::new(writer)),
        recent: Mutex::new(Recent::new(edge, first)),
        placed: Notify::new(),
        upkeep_fails: AtomicBool::new(false),
        is_woken: AtomicBool::new(false),
        damages: AtomicU64::new(0),
        lacks_rows: AtomicBool::new(false),
        upkeep,
    });
    Replacement::remove_draft(&journal)?;
    Journal::settle_replaced(&journal)?;
    if !is_cut_accepted {
        check_journal_files(&journal, acknowledged)?;
    }
    let at_least = acknowledged.filter(|_| !is_cut_accepted).unwrap_or(0);
    let opened = log.writer.blocking_lock().open_journal(&log, at_least);
    opened.map_err(|error| cut_tail(error, &log, &published))?;
    match check_published(&log, &published) {
        Err(FileStoreError::TailCut { .. }) if is_cut_accepted => {}
        checked => checked?,
    }
    let mut upkeep = Upkeep::new(Arc::clone(&log), published, tenants);
    if !is_cut_accepted {
        upkeep.watch_from(acknowledged)?;
    }
    upkeep.start(commands)?;
    log.wake();
    Ok(log)
}

/// That what is missing is pruned, and what is not pruned is there.
fn check_first(bundles: &Bundles, first: u64, in_place: u64) -> Result<(), FileStoreError> {
    let path = bundles.file_of(first / WIDE);
    if first > in_place || first < in_place && !path.exists() {
        return Err(FileStoreError::Damaged {
            path,
            what: "it is missing, and was not pruned; put back a copy of it",
        });
    }
    Ok(())
}

/// The tenants' numbers after the bundles that are in place. The file may be of an earlier time; without one, every
/// bundle is read.
fn tenants_of(
    kept: Option<Tenants>,
    bundles: &Bundles,
    first: u64,
    in_place: u64,
) -> Result<Tenants, FileStoreError> {
    let is_of_use = |kept: &Tenants| kept.size <= in_place && kept.size >= first;
    let mut tenants = match kept.filter(is_of_use) {
        Some(kept) => kept,
        None if first == 0 => Tenants::default(),
        None => {
            return Err(FileStoreError::Damaged {
                path: bundles.folder.with_file_name("tenants"),
                what: "it is lost, and bundles that it could be made from are pruned; put back a copy of it",
            });
        }
    };
    for bundle in tenants.size / WIDE..in_place / WIDE {
        let bytes = bundles.read(bundle)?;
        for (_, entry) in bundles::entries(bundle, &bytes) {
            if !Leaf::parse(entry).is_ok_and(|leaf| tenants.follow(&leaf)) {
                return Err(FileStoreError::Damaged {
                    path: bundles.file_of(bundle),
                    what: "an entry in it is no leaf of a log",
                });
            }
        }
    }
    tenants.size = in_place;
    Ok(tenants)
}

/// That nobody took files of the journal away, or cut them. A log that was never open has none.
fn check_journal_files(journal: &Path, acknowledged: Option<u64>) -> Result<(), FileStoreError> {
    match Journal::check_files(journal) {
        Err(JournalError::Damaged {
            source: Damage::NoSegments,
            ..
        }) if acknowledged.is_none() => Ok(()),
        checked => Ok(checked?),
    }
}

/// What says more: that others may have seen a checkpoint of what is lost.
fn cut_tail(error: FileStoreError, log: &Log, published: &LogFolder) -> FileStoreError {
    let size = published.checkpoint().map_or(0, Checkpoint::size);
    match error {
        FileStoreError::Journal(JournalError::Damaged {
            source: Damage::Lost { journal, .. },
            ..
        }) if journal < size => FileStoreError::TailCut {
            path: log.folder().to_owned(),
            published: size,
            found: journal,
        },
        error => error,
    }
}

/// That the log is the one of its checkpoint, and as long.
fn check_published(log: &Log, published: &LogFolder) -> Result<(), FileStoreError> {
    let Some(checkpoint) = published.checkpoint() else {
        return Ok(());
    };
    let path = log.folder().to_owned();
    let (size, found) = (checkpoint.size(), log.recent().size());
    if found < size {
        return Err(FileStoreError::TailCut {
            path,
            published: size,
            found,
        });
    }
    let root = match size.checked_sub(published.edge().size()) {
        None => published.root_of(size)?,
        Some(_) => root_of(&log.recent(), published.edge().clone(), size),
    };
    if root == checkpoint.root() {
        Ok(())
    } else {
        Err(FileStoreError::OtherTree { path })
    }
}

/// The root of a tree whose last entries are in memory.
fn root_of(recent: &Recent, mut edge: RightEdge, size: u64) -> TreeHash {
    let hashed = recent.groups().flat_map(|group| group.hashed());
    let from = edge.size();
    for (_, _, hash) in hashed.filter(|(n, ..)| (from..size).contains(n)) {
        edge.push(hash);
    }
    edge.root()
}

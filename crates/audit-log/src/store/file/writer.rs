//! Who appends to the journal.

use std::sync::Arc;

use super::{
    FileEvent, FileStoreError,
    folder_lock::FolderLock,
    log::{JOURNAL, Log},
    recent::RecentGroup,
    replacing::{self, Replacing},
    tenants_file::Tenants,
};
use crate::{
    event::{Id, Leaf},
    journal::{Frame, FrameWriter, Journal, JournalError},
    store::LogState,
    tree::RightEdge,
};

/// The journal, and the state of the log behind it.
#[derive(Debug)]
pub(super) struct Writer {
    /// Until the store is closed.
    pub(super) lock: Option<FolderLock>,
    /// Closed after a failure, until the next group wants it.
    pub(super) journal: Option<Journal>,
    pub(super) edge: RightEdge,
    pub(super) tenants: Tenants,
    /// What is there of the journal cannot be gone on with.
    pub(super) is_damaged: bool,
    is_on_record: bool,
    frames: FrameWriter,
}

impl Writer {
    pub(super) fn new(lock: FolderLock, edge: RightEdge, tenants: Tenants) -> Self {
        Self {
            lock: Some(lock),
            journal: None,
            edge,
            tenants,
            is_damaged: false,
            is_on_record: false,
            frames: FrameWriter::new(),
        }
    }

    pub(super) fn state_of(&self, tenants: &[Id]) -> LogState {
        let numbers = tenants.iter().filter_map(|tenant| {
            let next = self.tenants.next_of(tenant.as_str());
            (next > 0).then(|| (tenant.clone(), next))
        });
        LogState::new(self.edge.clone(), numbers.collect())
    }

    /// Opens the journal and finds out what it has. Groups of which nobody knew are appended to the log, and entries
    /// that were acknowledged and are not in it any more, to the journal. Gives how many these were. `acknowledged` says how
    /// many there must be, that are not in memory.
    pub(super) fn open_journal(
        &mut self,
        log: &Log,
        acknowledged: u64,
    ) -> Result<u64, FileStoreError> {
        self.journal = None;
        self.check_place(log)?;
        let folder = log.path_of(JOURNAL);
        Journal::settle_replaced(&folder)?;
        let known = log.recent().clone();
        let mut memory = known.groups().flat_map(|group| group.entries()).peekable();
        let (mut is_other, mut unknown) = (false, Vec::new());
        let each = |frame: &Frame<'_>| {
            for (n, entry) in (frame.first()..).zip(frame.entries()) {
                while memory.next_if(|(of, _)| *of < n).is_some() {}
                let same = memory.next_if(|(of, _)| *of == n);
                is_other |= same.is_some_and(|(_, known)| known != entry);
            }
            if frame.size_after() > known.size() {
                unknown.push(RecentGroup::of_frame(frame, known.size()));
            }
        };
        let disk = Arc::clone(&log.disk);
        let opened = Journal::open_on(disk, &folder, known.edge.clone(), acknowledged, each);
        let (mut journal, recovered) = opened?;
        if is_other {
            return Err(FileStoreError::OtherJournal { path: folder });
        }
        if let Some(torn) = recovered.torn {
            log.tell(&FileEvent::TornTailCut { bytes: torn.bytes });
        }
        let restored = known.size().saturating_sub(journal.size());
        let lacking = journal.size()..known.size();
        let groups = known.groups_within(&lacking);
        let groups = groups.iter().map(|group| &**group);
        let mut edge = recovered.edge;
        replacing::append(&mut journal, &mut edge, groups, |_| false)?;
        for group in unknown {
            self.take_over(&group, log)?;
            log.recent().push(Arc::new(group));
        }
        self.journal = Some(journal);
        Ok(restored)
    }

    /// Opens the journal after it failed. One that turns out to be damaged, the upkeep repairs.
    pub(super) fn reopen_journal(&mut self, log: &Log) -> Result<(), FileStoreError> {
        let opened = self.open_journal(log, 0);
        self.is_damaged = opened
            .as_ref()
            .is_err_and(FileStoreError::is_damaged_journal);
        let restored = opened?;
        if restored > 0 {
            self.put_on_record(log.recent().in_place, log)?;
        }
        self.is_on_record = false;
        log.tell(&FileEvent::JournalReopened { restored });
        log.wake();
        Ok(())
    }

    /// Puts a journal with all that is in memory in the place of the one that is there, which somebody else has damaged
    /// and which is kept. It is for the upkeep: nobody else replaces one meanwhile.
    pub(super) fn repair_journal(&mut self, log: &Log) -> Result<(), FileStoreError> {
        let journal = self.journal.take();
        self.check_place(log)?;
        self.is_damaged = true;
        let first = journal.map_or(0, |journal| journal.first());
        self.put_on_record(first, log)?;
        let mut replacing = Replacing::begin(log)?;
        replacing.catch_up(log, |_| false)?;
        self.journal = Some(replacing.repair()?);
        (self.is_damaged, self.is_on_record) = (false, false);
        let restored = {
            let recent = log.recent();
            recent.size() - recent.in_place
        };
        log.tell(&FileEvent::JournalReopened { restored });
        log.wake();
        Ok(())
    }

    /// Once for each damage, however often it is tried to repair it.
    fn put_on_record(&mut self, first: u64, log: &Log) -> Result<(), FileStoreError> {
        if !self.is_on_record {
            log.damaged.begin(&(first..log.recent().size()))?;
            self.is_on_record = true;
        }
        Ok(())
    }

    /// That the folder is the one that is locked.
    fn check_place(&self, log: &Log) -> Result<(), FileStoreError> {
        let lock = self.lock.as_ref().ok_or(FileStoreError::Closed)?;
        if lock.is_in_place(log.folder()) {
            return Ok(());
        }
        Err(FileStoreError::Gone {
            path: log.folder().to_owned(),
        })
    }

    /// Appends a group. When this returns it is on the disk.
    pub(super) fn commit(
        &mut self,
        group: RecentGroup,
        after: &LogState,
        log: &Log,
    ) -> Result<(), FileStoreError> {
        let journal = self.journal.as_mut().ok_or(JournalError::Failed)?;
        let appended = append(journal, &mut self.frames, &group, after.edge());
        if let Err(error) = appended {
            if journal.has_failed() {
                self.journal = None;
            }
            log.tell(&FileEvent::JournalFailed { error: &error });
            return Err(error);
        }
        self.edge = after.edge().clone();
        for (tenant, next) in after.tenants() {
            self.tenants.set(tenant.as_str(), next);
        }
        log.recent().push(Arc::new(group));
        log.wake();
        Ok(())
    }

    /// A group that was found in the journal.
    fn take_over(&mut self, group: &RecentGroup, log: &Log) -> Result<(), FileStoreError> {
        for (_, entry, hash) in group.hashed() {
            if !Leaf::parse(entry).is_ok_and(|leaf| self.tenants.follow(&leaf)) {
                return Err(FileStoreError::Damaged {
                    path: log.path_of(JOURNAL),
                    what: "an entry in it is no leaf of a log",
                });
            }
            self.edge.push(hash);
        }
        Ok(())
    }
}

/// Appends a group. `after` is the tree with it.
fn append(
    journal: &mut Journal,
    frames: &mut FrameWriter,
    group: &RecentGroup,
    after: &RightEdge,
) -> Result<(), FileStoreError> {
    frames.begin(group.first());
    let mut parts = group.parts().peekable();
    for (n, entry) in group.entries() {
        let part = parts.next_if(|(of, _)| *of == n);
        frames.push(entry, part.map(|(_, sealed)| sealed))?;
    }
    if let Some(frame) = frames.finish(&after.root()) {
        journal.append(&frame)?;
    }
    Ok(())
}

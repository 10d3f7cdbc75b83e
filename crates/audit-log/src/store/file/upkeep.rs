//! What follows the journal, on a thread of its own: nobody who appends waits for it.

mod bundling;
mod erasing;
mod indexing;
mod pruning;
mod replacing;
mod segments;
mod watching;

use std::{
    ops::Range,
    sync::{Arc, atomic::Ordering, mpsc},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use self::{bundling::Bundling, indexing::IndexCheck};
use super::{FileEvent, FileStoreError, log::Log, tenants_file::Tenants};
use crate::{
    checkpoint::Checkpoint,
    folder::{FolderError, LogFolder},
    journal::OldSegments,
    note::SignedNote,
    store::StoreError,
};

/// What the upkeep is asked for.
#[derive(Debug)]
pub(super) enum Command {
    /// There is a new group.
    Wake,
    Publish(Box<SignedNote>, Reply<()>),
    Erase(Vec<u64>, Reply<u64>),
    Prune(u64, Reply<u64>),
    CheckJournal(Reply<Vec<Range<u64>>>),
    /// Puts everything in place and ends.
    Close(Option<Reply<()>>),
}

pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What keeps the files behind the journal.
#[derive(Debug)]
pub(super) struct Upkeep {
    log: Arc<Log>,
    folder: LogFolder,
    bundling: Bundling,
    /// After the bundles that are in place.
    tenants: Tenants,
    old: OldSegments,
    index: IndexCheck,
    /// What is kept of how much was acknowledged; `None` of a log that nobody writes any more.
    acknowledged: Option<u64>,
}

/// How often the path of the journal is looked at, and what failed is tried again.
const PERIOD: Duration = Duration::from_secs(1);

/// Full bundles that are put in place at once; fewer, if a second passes.
const BUNDLES: usize = 8;

impl Upkeep {
    pub(super) fn new(log: Arc<Log>, folder: LogFolder, tenants: Tenants) -> Self {
        Self {
            bundling: Bundling::new(folder.edge().clone()),
            log,
            folder,
            tenants,
            old: OldSegments::default(),
            index: IndexCheck::default(),
            acknowledged: None,
        }
    }

    /// Starts the thread.
    pub(super) fn start(self, commands: mpsc::Receiver<Command>) -> Result<(), FileStoreError> {
        let folder = self.log.folder().to_owned();
        thread::Builder::new()
            .name("audit-log".to_owned())
            .spawn(move || self.run(&commands))
            .map(drop)
            .map_err(super::file_error::failed("start the upkeep of", &folder))
    }

    fn run(mut self, commands: &mpsc::Receiver<Command>) {
        let first = self.log.recent().first;
        if let Err(error) = self.remove_bundles(first) {
            self.log.tell(&FileEvent::UpkeepFailed { error: &error });
        }
        let mut due = now() + PERIOD;
        loop {
            let wait = if self.index.is_done(self.log.recent().in_place) {
                due.saturating_duration_since(now())
            } else {
                Duration::ZERO
            };
            match commands.recv_timeout(wait) {
                Ok(Command::Wake) => self.follow(BUNDLES),
                Ok(Command::Publish(note, reply)) => answer(reply, self.publish(&note)),
                Ok(Command::Erase(events, reply)) => answer(reply, self.erase(&events)),
                Ok(Command::Prune(before, reply)) => answer(reply, self.prune(before)),
                Ok(Command::CheckJournal(reply)) => {
                    answer(reply, self.check_journal().map_err(Into::into));
                }
                Ok(Command::Close(reply)) => {
                    let closed = self.close();
                    if let Some(reply) = reply {
                        answer(reply, closed);
                    }
                    return;
                }
                Err(mpsc::RecvTimeoutError::Timeout) => self.check_index(),
                Err(mpsc::RecvTimeoutError::Disconnected) => return,
            }
            if now() >= due {
                due = now() + PERIOD;
                self.watch();
                self.follow(1);
                if self.log.lacks_rows.swap(false, Ordering::AcqRel) {
                    self.index.begin_again(self.log.recent().in_place);
                }
            }
        }
    }

    /// Takes up what was appended, and puts bundles in place if so many are full.
    fn follow(&mut self, bundles: usize) {
        self.log.is_woken.store(false, Ordering::Release);
        let done = self.take_up(u64::MAX).and_then(|()| {
            // First, since without it the next group may have to wait.
            self.prepare()?;
            if self.bundling.full() >= bundles {
                self.put_in_place()?;
            }
            self.drop_segments()
        });
        self.log
            .upkeep_fails
            .store(done.is_err(), Ordering::Release);
        if let Err(error) = done {
            self.log.tell(&FileEvent::UpkeepFailed { error: &error });
        }
        self.log.placed.notify_waiters();
    }

    fn publish(&mut self, note: &SignedNote) -> Result<(), StoreError> {
        let checkpoint = Checkpoint::parse(note.unverified_text());
        let size = checkpoint.map_err(|_| StoreError::OtherTree)?.size();
        // No further, so that its tree is at hand.
        self.take_up(size)?;
        self.put_in_place()?;
        self.folder.publish(note).map_err(|error| match error {
            FolderError::OtherTree => StoreError::OtherTree,
            other => FileStoreError::from(other).into(),
        })
    }

    fn close(&mut self) -> Result<(), StoreError> {
        let log = Arc::clone(&self.log);
        let mut writer = log.writer.blocking_lock();
        writer.journal = None;
        let done = self
            .take_up(u64::MAX)
            .and_then(|()| self.put_in_place())
            .and_then(|()| self.tenants.write(&*log.disk, log.folder()))
            .and_then(|()| match self.acknowledged {
                Some(_) => self.keep_acknowledged(log.recent().size()),
                None => Ok(()),
            });
        writer.lock = None;
        Ok(done?)
    }
}

fn answer<T>(reply: Reply<T>, answer: Result<T, StoreError>) {
    // Who asked may have stopped to wait.
    let _ = reply.send(answer);
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a thread sleeps is of no meaning to the log"
)]
fn now() -> Instant {
    Instant::now()
}

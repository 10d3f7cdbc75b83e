//! Threads that read, each on a connection of its own. Nobody who reads waits for who writes: readers
//! see the database as the last commit left it.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use rusqlite::Connection;
use tokio::{
    sync::{oneshot, watch},
    time::timeout,
};

use super::{connection, failure::Failure};
use crate::store::StoreError;

/// How many read at once.
const READERS: usize = 4;

/// How many jobs may wait; beyond it they are refused at once. Those whose requests have given up wait with
/// the others, and are not read when it is their turn.
const ROOM: usize = 1_024;

/// How long a request waits for what it reads: less than the two seconds in which it is answered.
const READ: Duration = Duration::from_millis(1_500);

/// The threads. They end when this is dropped or closed.
#[derive(Debug)]
pub(super) struct Readers {
    queue: Arc<Queue>,
    /// Without a sender once every thread has ended.
    running: watch::Receiver<()>,
}

/// What is read on a connection.
type Job = Box<dyn FnOnce(&Connection) + Send>;

struct Queue {
    room: usize,
    jobs: Mutex<Jobs>,
    changed: Condvar,
}

#[derive(Default)]
struct Jobs {
    waiting: VecDeque<Job>,
    is_closed: bool,
}

/// Nothing was read in time.
#[derive(Debug, thiserror::Error)]
#[error(
    "no connection that reads was free in time, too much waits for one, or the one that read failed"
)]
struct NotRead;

impl Readers {
    /// Opens every connection: later there may be no file descriptors for one.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let queue = Arc::new(Queue::with_room(ROOM));
        let (alive, running) = watch::channel(());
        let readers = Self { queue, running };
        for _ in 0..READERS {
            let mut thread = ReaderThread {
                path: path.to_owned(),
                connection: Some(connection::open_reading(path)?),
                queue: Arc::clone(&readers.queue),
                _alive: alive.clone(),
            };
            thread::Builder::new()
                .name("sqlite-reader".to_owned())
                .spawn(move || thread.run())
                .map_err(|error| StoreError::Unavailable(error.into()))?;
        }
        Ok(readers)
    }

    /// Reads on one of the connections. What nobody waits for any more is not read.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        what: impl FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (reply, answer) = oneshot::channel();
        self.queue.push(Box::new(move |connection| {
            if !reply.is_closed() {
                drop(reply.send(what(connection)));
            }
        }));
        match timeout(READ, answer).await {
            Ok(Ok(answer)) => answer,
            _ => Err(StoreError::Unavailable(NotRead.into()).into()),
        }
    }

    /// Closes the connections, and returns when they are.
    pub(super) async fn close(&self) {
        self.queue.close();
        let mut running = self.running.clone();
        while running.changed().await.is_ok() {}
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Queue {
    fn with_room(room: usize) -> Self {
        Self {
            room,
            jobs: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Drops the job, by which who waits learns of it, if there is no room or this is closed.
    fn push(&self, job: Job) {
        let mut jobs = self.lock();
        if !jobs.is_closed && jobs.waiting.len() < self.room {
            jobs.waiting.push_back(job);
            drop(jobs);
            self.changed.notify_one();
        }
    }

    fn close(&self) {
        self.lock().is_closed = true;
        self.changed.notify_all();
    }

    /// The next job, or none once this is closed and no job is left.
    fn next(&self) -> Option<Job> {
        let mut jobs = self.lock();
        loop {
            if let Some(job) = jobs.waiting.pop_front() {
                return Some(job);
            }
            if jobs.is_closed {
                return None;
            }
            jobs = self
                .changed
                .wait(jobs)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// No job runs while this is held.
    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let waiting = self.lock().waiting.len();
        f.debug_struct("Queue")
            .field("waiting", &waiting)
            .finish_non_exhaustive()
    }
}

struct ReaderThread {
    path: PathBuf,
    /// None after a panic.
    connection: Option<Connection>,
    queue: Arc<Queue>,
    _alive: watch::Sender<()>,
}

impl ReaderThread {
    fn run(&mut self) {
        while let Some(job) = self.queue.next() {
            let connection = self.connection.take();
            let connection = connection.or_else(|| connection::open_reading(&self.path).ok());
            // Without a connection the job is dropped, and who waits learns of it.
            let Some(connection) = connection else {
                continue;
            };
            // The panic was reported where it came up; others still have to be answered.
            if catch_unwind(AssertUnwindSafe(|| job(&connection))).is_ok() {
                self.connection = Some(connection);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::poll;

    use super::*;

    async fn one(readers: &Readers) -> Result<i64, Failure> {
        let one =
            |connection: &Connection| Ok(connection.query_row("SELECT 1", [], |it| it.get(0))?);
        readers.read(one).await
    }

    fn readers() -> (tempfile::TempDir, Readers) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        std::fs::write(&path, "").unwrap();
        let readers = Readers::open(&path).unwrap();
        (folder, readers)
    }

    #[tokio::test]
    async fn who_reads_after_a_panic_is_answered() {
        let (_folder, readers) = readers();
        for _ in 0..2 * READERS {
            let panics = |_: &Connection| -> Result<(), Failure> { panic!("a bug") };
            readers.read(panics).await.unwrap_err();
        }
        assert_eq!(one(&readers).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_connection_that_reads_does_not_write() {
        let (_folder, readers) = readers();
        let write = |connection: &Connection| Ok(connection.execute("CREATE TABLE t (a)", [])?);
        readers.read(write).await.unwrap_err();
    }

    #[tokio::test]
    async fn what_has_no_room_is_refused_at_once() {
        // Nobody takes a job.
        let (_alive, running) = watch::channel(());
        let queue = Arc::new(Queue::with_room(2));
        let readers = Readers { queue, running };
        let (mut first, mut second) = (Box::pin(one(&readers)), Box::pin(one(&readers)));
        assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
        assert!(poll!(Box::pin(one(&readers))).is_ready());
    }

    #[tokio::test]
    async fn what_was_asked_before_the_end_is_answered_and_nothing_after_it() {
        let (_folder, readers) = readers();
        let (answer, ()) = tokio::join!(one(&readers), readers.close());
        assert_eq!(answer.unwrap(), 1);
        one(&readers).await.unwrap_err();
    }
}

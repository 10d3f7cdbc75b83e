//! Who writes beside the writer of groups. SQLite gives its lock to the one that asks at the right moment,
//! and between two groups that moment is short: who asks seldom would hardly ever meet it.

use std::{
    error::Error,
    iter::successors,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::timeout,
};

use super::failure;

/// The turns to write inside this process, in the order in which they were asked for. They are a matter of
/// fairness: the lock that keeps writers apart is SQLite's.
#[derive(Debug, Clone, Default)]
pub(crate) struct WriteTurns {
    turn: Arc<Mutex<()>>,
    progress: Arc<Progress>,
}

/// By what those who wait see whether it goes on.
#[derive(Debug, Default)]
struct Progress {
    /// How many turns have ended.
    ended: AtomicU64,
    /// How many of this process have SQLite's lock, or have just had it.
    writing: AtomicUsize,
}

/// How long nothing may go on until others write without a turn: who has it waits for another process.
const ONE_TURN: Duration = Duration::from_millis(250);

/// How often so long is waited, for a turn and then for another process: less than the two seconds in which
/// a request is answered.
const WAITS: u32 = 6;

/// How long one that writes seldom waits for another process, and how often. SQLite asks for the lock less
/// and less often while it waits, so that several short waits meet the moment between two groups of another
/// process where a long one would not.
pub(super) const BUSY: Duration = Duration::from_millis(250);
const TRIES: u32 = 3;

/// Lasts until it is dropped.
#[derive(Debug)]
pub(crate) struct WriteTurn {
    held: Option<OwnedMutexGuard<()>>,
    /// How often SQLite may be asked, so that what was waited for the turn is not waited once more.
    tries: u32,
    progress: Arc<Progress>,
}

/// Says that this process has SQLite's lock, until it is dropped.
#[derive(Debug)]
pub(super) struct Writing(Arc<Progress>);

impl WriteTurns {
    /// Waits for a turn, and keeps its place as long as it goes on before it: others' turns end, or one of
    /// them has SQLite's lock and a slow disk. Without its turn a writer asks SQLite at moments of its own, and
    /// meets somebody else's turn each time: that is for the case in which nobody goes on.
    pub(crate) async fn take(&self) -> WriteTurn {
        let mut turn = pin!(Arc::clone(&self.turn).lock_owned());
        let mut ended = self.progress.ended.load(Ordering::Relaxed);
        for left in (1..WAITS).rev() {
            if let Ok(held) = timeout(ONE_TURN, turn.as_mut()).await {
                return self.turn(Some(held), left);
            }
            let before = ended;
            ended = self.progress.ended.load(Ordering::Relaxed);
            if ended == before && !self.progress.is_written() {
                return self.turn(None, left);
            }
        }
        self.turn(None, 1)
    }

    /// Waits for a turn no longer than one takes, for who asks SQLite so often that it goes without one as
    /// well: with what it waits for another process after that, it has 1.5 s.
    pub(super) async fn take_soon(&self) -> WriteTurn {
        let held = timeout(ONE_TURN, Arc::clone(&self.turn).lock_owned()).await;
        self.turn(held.ok(), TRIES)
    }

    fn turn(&self, held: Option<OwnedMutexGuard<()>>, tries: u32) -> WriteTurn {
        WriteTurn {
            held,
            tries: tries.min(TRIES),
            progress: Arc::clone(&self.progress),
        }
    }

    /// To be called by who has got SQLite's lock, with a turn or without one.
    pub(super) fn writing(&self) -> Writing {
        self.progress.writing.fetch_add(1, Ordering::Relaxed);
        Writing(Arc::clone(&self.progress))
    }

    /// Writes in a turn.
    pub(crate) async fn write<T, E, F>(&self, write: impl Fn() -> F) -> Result<T, E>
    where
        E: Error + 'static,
        F: Future<Output = Result<T, E>>,
    {
        let turn = self.take().await;
        turn.write(write).await
    }
}

impl WriteTurn {
    /// Writes, and tries again if another process has the lock. The turn ends with it.
    pub(crate) async fn write<T, E, F>(self, write: impl Fn() -> F) -> Result<T, E>
    where
        E: Error + 'static,
        F: Future<Output = Result<T, E>>,
    {
        for _ in 1..self.tries {
            match write().await {
                Err(error) if is_busy(&error) => {}
                outcome => return outcome,
            }
        }
        write().await
    }
}

fn is_busy(error: &(dyn Error + 'static)) -> bool {
    let mut causes = successors(Some(error), |&error| error.source());
    causes.any(|error| {
        let error = error.downcast_ref::<sqlx::Error>();
        error.and_then(failure::code) == Some(failure::BUSY)
    })
}

impl Progress {
    fn is_written(&self) -> bool {
        self.writing.load(Ordering::Relaxed) > 0
    }
}

impl Drop for WriteTurn {
    fn drop(&mut self) {
        if self.held.is_some() {
            self.progress.ended.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.writing.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use tokio::{task::JoinSet, time::sleep};

    use super::*;
    use crate::store::sqlite::busy::WRITING_BUSY;

    const SHORTLY: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn a_turn_is_waited_for_as_long_as_those_before_it_end() {
        let turns = WriteTurns::default();
        let busy = async || {
            let turn = turns.take().await;
            sleep(ONE_TURN / 2).await;
            assert!(turn.held.is_some());
        };
        // The last of them waits for longer than any turn takes.
        tokio::join!(busy(), busy(), busy(), busy(), busy());
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_does_not_end_is_not_waited_out() {
        let turns = WriteTurns::default();
        let held = turns.take().await;
        let early = timeout(ONE_TURN - SHORTLY, turns.take()).await;
        assert!(early.is_err(), "it is waited for");
        let without = timeout(ONE_TURN + SHORTLY, turns.take()).await;
        assert!(without.unwrap().held.is_none());
        drop(held);
        assert!(turns.take().await.held.is_some());
    }

    /// Whether there is a turn within this time behind a group that takes a second: for its commit, on a slow
    /// disk, or for another process that has the lock.
    async fn behind_a_group(turns: &WriteTurns, has_lock: bool, within: Duration) -> Option<bool> {
        let group = turns.take_soon().await;
        let writing = has_lock.then(|| turns.writing());
        let slow = async {
            sleep(Duration::from_secs(1)).await;
            drop((writing, group));
        };
        let waits = timeout(within, turns.take());
        let ((), turn) = tokio::join!(slow, waits);
        turn.ok().map(|turn| turn.held.is_some())
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_commit_is_waited_for_and_another_process_is_not() {
        let turns = WriteTurns::default();
        let in_time = ONE_TURN * WAITS;
        assert_eq!(behind_a_group(&turns, true, in_time).await, Some(true));
        // Who had the lock has said that it has no more.
        let soon = ONE_TURN + SHORTLY;
        assert_eq!(behind_a_group(&turns, false, soon).await, Some(false));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_waited_for_a_turn_is_not_waited_once_more() {
        assert!(ONE_TURN.max(BUSY) * WAITS < Duration::from_secs(2));
        let turns = WriteTurns::default();
        let _held = turns.take().await;
        let _writing = turns.writing();
        let turn = timeout(ONE_TURN * (WAITS - 1) + SHORTLY, turns.take()).await;
        let turn = turn.unwrap();
        assert!(turn.held.is_none());
        assert_eq!(turn.tries, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_queue_is_waited_in_for_less_time_than_a_request_has() {
        let turns = WriteTurns::default();
        let longest = ONE_TURN * WAITS;
        assert!(longest < Duration::from_secs(2));
        let mut queue = JoinSet::new();
        for _ in 0..9 {
            let turns = turns.clone();
            queue.spawn(async move {
                let turn = timeout(longest + SHORTLY, turns.take()).await;
                let is_mine = turn.as_ref().ok().map(|turn| turn.held.is_some());
                sleep(ONE_TURN - SHORTLY).await;
                drop(turn);
                is_mine
            });
        }
        let turns = queue.join_all().await;
        assert!(turns.iter().all(Option::is_some), "{turns:?}");
        assert!(turns.contains(&Some(true)) && turns.contains(&Some(false)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_keeps_no_place_in_a_long_queue() {
        assert_eq!(ONE_TURN + WRITING_BUSY, Duration::from_millis(1_500));
        let turns = WriteTurns::default();
        let held = turns.take().await;
        let ends = async {
            sleep(ONE_TURN - SHORTLY).await;
            drop(held);
        };
        let next = async {
            let _turn = turns.take().await;
            sleep(ONE_TURN - SHORTLY).await;
        };
        let group = timeout(ONE_TURN + SHORTLY, turns.take_soon());
        let ((), (), group) = tokio::join!(ends, next, group);
        assert!(group.unwrap().held.is_none());
        assert!(turns.take_soon().await.held.is_some());
    }
}

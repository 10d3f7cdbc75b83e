//! The connection that all charges share, made again in the background when it is lost.

mod backoff;

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use redis::RedisError;
use tokio::{sync::watch, time};

use self::backoff::Backoff;
use super::{
    connection::{Client, Connection},
    failure::Failure,
};
use crate::clock::{Clock as _, SystemClock};

/// For each try to connect, from name resolution to the server's greeting.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A connection on which nothing has been answered for so many deadlines, while something was asked, is given
/// up: what was behind it may be gone without a word.
const SILENT_DEADLINES: u32 = 10;

/// One connection at a time, and the task that makes the next.
pub(super) struct Link {
    client: Client,
    state: watch::Sender<State>,
    buffer: usize,
    most_silence: Duration,
    clock: SystemClock,
}

/// A connection, and since when it has not answered.
#[derive(Clone)]
pub(super) struct Connected {
    pub(super) connection: Connection,
    silent_since: Arc<AtomicU64>,
}

#[derive(Clone)]
enum State {
    /// Nobody has asked for a connection, or the runtime that made it has ended.
    Idle,
    /// The first try, or the first after a loss, is under way: it is worth waiting for.
    Connecting,
    Up(Connected),
    /// The last try failed, and others follow.
    Down(Failure),
}

impl Link {
    pub(super) fn new(client: Client, deadline: Duration, buffer: usize) -> Arc<Self> {
        Arc::new(Self {
            client,
            state: watch::Sender::new(State::Idle),
            buffer,
            most_silence: deadline.saturating_mul(SILENT_DEADLINES),
            clock: SystemClock::new(),
        })
    }

    /// The connection; waits for the first try to make one, and fails at once while there is none.
    pub(super) async fn connected(self: &Arc<Self>) -> Result<Connected, Failure> {
        let mut watched = None;
        loop {
            match &*self.state.borrow() {
                State::Up(connected) => return Ok(connected.clone()),
                State::Down(failure) => return Err(failure.clone()),
                State::Idle | State::Connecting => {}
            }
            let Some(watched) = &mut watched else {
                // Watched first and looked at again, so that no change is missed.
                watched = Some(self.state.subscribe());
                self.connect_unless(|state| matches!(state, State::Idle));
                continue;
            };
            // It cannot end, for `self` has the other end.
            drop(watched.changed().await);
        }
    }

    /// Something was answered.
    pub(super) fn answered(connected: &Connected) {
        if connected.silent_since.load(Ordering::Relaxed) != 0 {
            connected.silent_since.store(0, Ordering::Relaxed);
        }
    }

    /// Something was asked at `since` and not answered in time.
    pub(super) fn timed_out(self: &Arc<Self>, connected: &Connected, since: Duration) {
        let since = micros(since).max(1);
        let silent = &connected.silent_since;
        let silent_since = silent
            .compare_exchange(0, since, Ordering::Relaxed, Ordering::Relaxed)
            .map_or_else(|earlier| earlier, |_| since);
        let silence = micros(self.clock.monotonic()).saturating_sub(silent_since);
        if silence >= micros(self.most_silence) {
            self.lost(connected);
        }
    }

    /// The connection is of no use any more.
    pub(super) fn lost(self: &Arc<Self>, connected: &Connected) {
        self.connect_unless(|state| match state {
            State::Up(present) => Arc::ptr_eq(&present.silent_since, &connected.silent_since),
            _ => false,
        });
    }

    /// The time that `timed_out` is told.
    pub(super) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Starts to connect if the state is one that asks for it.
    fn connect_unless(self: &Arc<Self>, asks_for_it: impl FnOnce(&State) -> bool) {
        let starts = self.state.send_if_modified(|state| {
            let starts = asks_for_it(state);
            if starts {
                *state = State::Connecting;
            }
            starts
        });
        if starts {
            let task = ConnectTask(Arc::downgrade(self));
            tokio::spawn(task.run(self.client.clone(), self.buffer));
        }
    }
}

/// Makes one connection, however long that takes; ends with the store.
struct ConnectTask(Weak<Link>);

impl ConnectTask {
    async fn run(mut self, client: Client, buffer: usize) {
        let mut backoff = Backoff::new();
        loop {
            let made = time::timeout(CONNECT_TIMEOUT, client.connect(buffer)).await;
            let Some(link) = self.0.upgrade() else {
                return;
            };
            match made {
                Ok(Ok(connection)) => {
                    // What comes of the connection is not this task's any more.
                    self.0 = Weak::new();
                    let connected = Connected {
                        connection,
                        silent_since: Arc::default(),
                    };
                    link.state.send_replace(State::Up(connected));
                    return;
                }
                Ok(Err(error)) => link.is_down(error),
                Err(_) => {
                    link.state
                        .send_replace(State::Down(Failure::NotConnectedInTime));
                }
            }
            drop(link);
            time::sleep(backoff.next_delay()).await;
        }
    }
}

impl Link {
    fn is_down(&self, error: RedisError) {
        let failure = Failure::NotConnected(Arc::new(error));
        self.state.send_replace(State::Down(failure));
    }
}

/// The runtime that the task ran on may end before the store does.
impl Drop for ConnectTask {
    fn drop(&mut self) {
        if let Some(link) = self.0.upgrade() {
            link.state.send_replace(State::Idle);
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

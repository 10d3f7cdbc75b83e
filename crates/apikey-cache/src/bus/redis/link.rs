//! The connection that all tell on, made again in the background when it is lost.

use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{sync::watch, time};

use super::{
    connection::{CONNECT_TIMEOUT, Client, Connection},
    failure::Failure,
};

/// Between two tries to connect, at first; twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// One connection at a time, and the task that makes the next.
pub(super) struct Link {
    client: Client,
    state: watch::Sender<State>,
}

/// A connection, and which one it is.
#[derive(Clone)]
pub(super) struct Up {
    pub(super) connection: Connection,
    id: Arc<()>,
}

#[derive(Clone)]
enum State {
    /// Nobody has asked for a connection, or the runtime that made it has ended.
    Idle,
    /// The first try is under way: it is worth waiting for.
    Connecting,
    Up(Up),
    /// The server does not answer; the task goes on trying.
    Down(Failure),
}

impl Link {
    pub(super) fn new(client: Client) -> Arc<Self> {
        Arc::new(Self {
            client,
            state: watch::Sender::new(State::Idle),
        })
    }

    /// The connection; waits for the first try to make one, and fails at once while there is none.
    pub(super) async fn connected(self: &Arc<Self>) -> Result<Up, Failure> {
        let mut watched = self.state.subscribe();
        loop {
            let state = watched.borrow_and_update().clone();
            match state {
                State::Up(up) => return Ok(up),
                State::Down(failure) => return Err(failure),
                State::Idle => {
                    self.connect_unless_changed(
                        |state| matches!(state, State::Idle),
                        State::Connecting,
                    );
                }
                // It cannot end, for `self` has the other end.
                State::Connecting => drop(watched.changed().await),
            }
        }
    }

    /// Telling failed, on this connection if there was one.
    pub(super) fn failed(self: &Arc<Self>, asked: Option<&Up>, failure: &Failure) {
        let down = State::Down(failure.clone());
        match asked {
            Some(asked) if failure.breaks_connection() => {
                let is_asked = |state: &State| match state {
                    State::Up(up) => Arc::ptr_eq(&up.id, &asked.id),
                    _ => false,
                };
                self.connect_unless_changed(is_asked, down);
            }
            Some(_) => {}
            // The next one is not to wait for the same try.
            None => {
                self.become_if(|state| matches!(state, State::Connecting), down);
            }
        }
    }

    fn become_if(&self, is_so: impl FnOnce(&State) -> bool, next: State) -> bool {
        self.state.send_if_modified(|state| {
            let changes = is_so(state);
            if changes {
                *state = next;
            }
            changes
        })
    }

    /// Takes the next state and starts the task if the present one is what it was thought to be.
    fn connect_unless_changed(self: &Arc<Self>, is_so: impl FnOnce(&State) -> bool, next: State) {
        if self.become_if(is_so, next) {
            let task = ConnectTask(Arc::downgrade(self));
            tokio::spawn(task.run(self.client.clone()));
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &*self.state.borrow() {
            State::Idle => "Idle",
            State::Connecting => "Connecting",
            State::Up(_) => "Up",
            State::Down(_) => "Down",
        })
    }
}

/// Makes one connection, however long that takes; ends with the bus.
struct ConnectTask(Weak<Link>);

impl ConnectTask {
    async fn run(mut self, client: Client) {
        let mut pause = FIRST_PAUSE;
        loop {
            let made = client.connect(CONNECT_TIMEOUT).await;
            let Some(link) = self.0.upgrade() else {
                return;
            };
            match made {
                Ok(connection) => {
                    // What comes of the connection is not this task's any more.
                    self.0 = Weak::new();
                    let id = Arc::default();
                    link.state.send_replace(State::Up(Up { connection, id }));
                    return;
                }
                Err(failure) => link.state.send_replace(State::Down(failure)),
            };
            drop(link);
            time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// The runtime that the task ran on may end before the bus does.
impl Drop for ConnectTask {
    fn drop(&mut self) {
        if let Some(link) = self.0.upgrade() {
            link.state.send_replace(State::Idle);
        }
    }
}

//! How long one that writes waits for others.

use std::{cell::Cell, thread, time::Duration};

use rusqlite::Connection;

use crate::clock::{Clock as _, SystemClock};

/// How long a group waits for another process's transaction, and how far apart it asks. The handler of
/// SQLite asks less and less often, up to ten times a second, and would not meet the moment between two
/// groups of another process. With its turn, which is waited for before it, that is 1.5 s: less than the
/// 1.9 s after which who needs something on record is told that it is not.
pub(super) const WRITING_BUSY: Duration = Duration::from_millis(1_250);
const ASKED_EVERY: Duration = Duration::from_millis(2);

/// Has a connection wait.
pub(super) fn wait(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_handler(Some(is_asked_again))
}

thread_local! {
    /// When the wait began that is going on; a handler is given no more than how often it was called.
    static WAITS_SINCE: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    /// How long one waits at most.
    static WAITS_FOR: Cell<Duration> = const { Cell::new(WRITING_BUSY) };
}

/// Works on connections of this thread that wait for others no longer than that.
pub(super) fn waiting_at_most<T>(longest: Duration, work: impl FnOnce() -> T) -> T {
    let usual = WAITS_FOR.replace(longest);
    let done = work();
    WAITS_FOR.set(usual);
    done
}

fn is_asked_again(times_before: i32) -> bool {
    let now = SystemClock.monotonic();
    if times_before == 0 {
        WAITS_SINCE.set(now);
    }
    let waits = now.saturating_sub(WAITS_SINCE.get()) < WAITS_FOR.get();
    if waits {
        thread::sleep(ASKED_EVERY);
    }
    waits
}

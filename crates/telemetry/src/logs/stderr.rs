//! Standard error, for a program that must not stand still because nobody reads it.

use std::{
    io::{self, ErrorKind, Write},
    sync::{
        Mutex, PoisonError, TryLockError,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tracing_subscriber::fmt::MakeWriter;

/// Writes lines to standard error and gives up on one that has no room in time: a pipe that nobody
/// empties costs lines, which are counted, and not requests.
#[derive(Debug, Default)]
pub(crate) struct Stderr {
    /// Whether a line was cut off in the middle: the next one then begins on a line of its own.
    is_inside_line: Mutex<bool>,
    /// Whether the last line had no room. The next one then waits no more.
    is_blocked: AtomicBool,
}

/// A pipe that is ready takes so much at once (`PIPE_BUF` of Linux).
const PIECE_BYTES: usize = 4_096;

/// How long one line waits for room.
const TIMEOUT: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

impl Stderr {
    fn write_line(&self, line: &[u8]) -> io::Result<()> {
        let mut is_inside_line = match self.is_inside_line.try_lock() {
            Err(TryLockError::WouldBlock) if self.is_blocked.load(Ordering::Relaxed) => {
                return Err(ErrorKind::WouldBlock.into());
            }
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Ok(guard) => guard,
            // The one that holds it waits no longer than a line may.
            Err(TryLockError::WouldBlock) => self
                .is_inside_line
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        };
        if *is_inside_line {
            self.write_piece(b"\n")?;
            *is_inside_line = false;
        }
        for piece in line.chunks(PIECE_BYTES) {
            self.write_piece(piece)?;
            *is_inside_line = true;
        }
        *is_inside_line = false;
        Ok(())
    }

    fn write_piece(&self, piece: &[u8]) -> io::Result<()> {
        let mut stderr = io::stderr();
        if !self.wait_for_room(&stderr)? {
            return Err(ErrorKind::WouldBlock.into());
        }
        stderr.write_all(piece)
    }

    /// Whether there is room for a piece, now or soon.
    fn wait_for_room(&self, stderr: &io::Stderr) -> io::Result<bool> {
        let timeout = if self.is_blocked.load(Ordering::Relaxed) {
            Timespec::default()
        } else {
            TIMEOUT
        };
        let mut ready = [PollFd::new(stderr, PollFlags::OUT)];
        let has_room = match poll(&mut ready, Some(&timeout)) {
            // An error or a closed end is for the write to tell.
            Ok(events) => events > 0,
            Err(rustix::io::Errno::INTR) => true,
            Err(error) => return Err(error.into()),
        };
        self.is_blocked.store(!has_room, Ordering::Relaxed);
        Ok(has_room)
    }
}

impl Write for &Stderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.write_line(line)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Stderr {
    type Writer = &'w Self;

    fn make_writer(&'w self) -> Self::Writer {
        self
    }
}

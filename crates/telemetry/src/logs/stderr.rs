//! Standard error that never keeps anybody waiting. It may be a pipe that nobody reads: a thread that
//! writes to a full one sleeps until somebody does, and with it the service.

use std::io::{self, Write};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// What a pipe that is writable at all takes without waiting (`PIPE_BUF`, pipe(7)).
const NEVER_WAITS: usize = 4_096;

/// Writes to standard error as long as there is room, and fails at once where there is none.
#[derive(Debug)]
pub(crate) struct Stderr(());

impl Stderr {
    pub(crate) const fn new() -> Self {
        Self(())
    }
}

impl Write for Stderr {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        write_some(&mut io::stderr().lock(), text)
    }

    /// A line is written by one thread at a time, and cut where room ends.
    fn write_all(&mut self, mut line: &[u8]) -> io::Result<()> {
        let mut stderr = io::stderr().lock();
        while !line.is_empty() {
            let written = write_some(&mut stderr, line)?;
            line = &line[written..];
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_some(stderr: &mut io::StderrLock<'_>, text: &[u8]) -> io::Result<usize> {
    let mut waiting = [PollFd::new(&*stderr, PollFlags::OUT)];
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    if poll(&mut waiting, Some(&now))? == 0 {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    stderr.write(&text[..text.len().min(NEVER_WAITS)])
}

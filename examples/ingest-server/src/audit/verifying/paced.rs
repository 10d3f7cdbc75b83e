//! The files of a log, read no faster than they may be, and not to their end if nobody waits for it.

use std::{
    cell::Cell,
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use portcullis_audit_log::source::{LogSource, SourceError};

use crate::clock::Clock;

/// How much of a processor a verification takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As fast as it goes: somebody waits.
    Full,
    /// A tenth: it rests nine times as long as it works.
    Background,
}

/// Why the rest was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    Late,
    Stopped,
}

/// A source that paces who reads it.
#[derive(Debug)]
pub(super) struct Paced<S> {
    source: S,
    /// Closed when nobody waits any more.
    stopped: Receiver<Infallible>,
    clock: Arc<dyn Clock>,
    pace: Pace,
    until: Duration,
    progress: Arc<AtomicU64>,
    /// When the last rest ended.
    since: Cell<Duration>,
    cut: Cell<Option<Cut>>,
}

/// The longest rest.
const REST: Duration = Duration::from_secs(1);

/// Entries of one bundle.
const BUNDLE: u64 = 256;

impl<S> Paced<S> {
    pub(super) fn new(
        source: S,
        stopped: Receiver<Infallible>,
        clock: Arc<dyn Clock>,
        pace: Pace,
        until: Duration,
        progress: Arc<AtomicU64>,
    ) -> Self {
        progress.store(0, Ordering::Relaxed);
        let since = Cell::new(clock.monotonic());
        Self {
            source,
            stopped,
            clock,
            pace,
            until,
            progress,
            since,
            cut: Cell::new(None),
        }
    }

    /// Why it was not read to its end, if it was not.
    pub(super) const fn cut(&self) -> Option<Cut> {
        self.cut.get()
    }

    fn rest(&self) -> Result<(), &'static str> {
        let now = self.clock.monotonic();
        if now >= self.until {
            self.cut.set(Some(Cut::Late));
            return Err("it takes too long");
        }
        let rest = match self.pace {
            Pace::Full => Duration::ZERO,
            Pace::Background => (now.saturating_sub(self.since.get()) * 9).min(REST),
        };
        let waited = self.stopped.recv_timeout(rest);
        self.since.set(self.clock.monotonic());
        match waited {
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Err(RecvTimeoutError::Disconnected) => {
                self.cut.set(Some(Cut::Stopped));
                Err("nobody waits for it")
            }
        }
    }
}

impl<S: LogSource> LogSource for Paced<S> {
    fn read(&self, path: &str, at_most: usize) -> Result<Option<Vec<u8>>, SourceError> {
        self.rest().map_err(SourceError::unreadable(path))?;
        if path.starts_with("tile/entries/") {
            self.progress.fetch_add(BUNDLE, Ordering::Relaxed);
        }
        self.source.read(path, at_most)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::clock::{SystemClock, ToldClock};

    #[derive(Debug)]
    struct Nothing;

    impl LogSource for Nothing {
        fn read(&self, _: &str, _: usize) -> Result<Option<Vec<u8>>, SourceError> {
            Ok(None)
        }
    }

    fn paced(clock: Arc<dyn Clock>, stopped: Receiver<Infallible>) -> Paced<Nothing> {
        let until = Duration::from_secs(5);
        Paced::new(Nothing, stopped, clock, Pace::Full, until, Arc::default())
    }

    #[test]
    fn it_ends_where_it_is_when_nobody_waits_or_time_is_over() {
        let (running, stopped) = mpsc::channel();
        let clock = Arc::new(ToldClock::new([0]));
        let source = paced(clock, stopped);
        source.read("tile/entries/000", 1).unwrap();
        assert_eq!(source.progress.load(Ordering::Relaxed), BUNDLE);
        assert_eq!(source.cut(), None);
        drop(running);
        source.read("tile/entries/001", 1).unwrap_err();
        assert_eq!(source.cut(), Some(Cut::Stopped));

        let (_running, stopped) = mpsc::channel();
        let clock = Arc::new(ToldClock::new([0, 0, 0, 5]));
        let source = paced(clock, stopped);
        source.read("checkpoint", 1).unwrap();
        source.read("checkpoint", 1).unwrap_err();
        assert_eq!(source.cut(), Some(Cut::Late));
    }

    #[test]
    fn a_rest_is_over_at_once_when_nobody_waits() {
        let (running, stopped) = mpsc::channel();
        let until = Duration::MAX;
        let clock = Arc::new(SystemClock);
        let source = Paced {
            since: Cell::new(Duration::ZERO),
            pace: Pace::Background,
            ..Paced::new(
                Nothing,
                stopped,
                Arc::clone(&clock) as _,
                Pace::Full,
                until,
                Arc::default(),
            )
        };
        let began = clock.monotonic();
        drop(running);
        source.read("checkpoint", 1).unwrap_err();
        assert!(clock.monotonic() - began < REST / 2);
    }
}

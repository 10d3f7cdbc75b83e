//! What a running program takes, as Linux counts it.

use std::{fs, path::PathBuf, process::Child, time::Duration};

use crate::Failure;

/// A program that was started here, and ends with this.
#[derive(Debug)]
pub(crate) struct Process(Child);

/// What it has taken since it started.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Taken {
    /// What its threads have run for: unlike throughput, hardly a matter of what else the machine does.
    pub(crate) processor: Duration,
    /// Bytes of pages that it had written to the disk.
    pub(crate) written: u64,
}

impl Process {
    pub(crate) fn new(child: Child) -> Self {
        Self(child)
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn taken(&self) -> Result<Taken, Failure> {
        let mut nanoseconds = 0;
        for thread in fs::read_dir(self.file("task"))? {
            // One that has ended since it was listed has none.
            let Ok(times) = fs::read_to_string(thread?.path().join("schedstat")) else {
                continue;
            };
            let running = times.split(' ').next().unwrap_or_default();
            nanoseconds += running.parse::<u64>()?;
        }
        Ok(Taken {
            processor: Duration::from_nanos(nanoseconds),
            written: self.counted("io", "write_bytes")?,
        })
    }

    /// The most memory it ever had, in bytes.
    pub(crate) fn most_memory(&self) -> Result<u64, Failure> {
        Ok(self.counted("status", "VmHWM")? << 10)
    }

    /// A number that a file of the process names.
    fn counted(&self, file: &str, name: &str) -> Result<u64, Failure> {
        let text = fs::read_to_string(self.file(file))?;
        let found = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let found = found.and_then(|rest| rest.split_whitespace().next());
        let found = found.ok_or_else(|| format!("the process has no {name} in {file}"))?;
        Ok(found.parse()?)
    }

    fn file(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.id()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It is measured no more, and what it stored is removed with its folder.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Taken {
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            processor: self.processor.saturating_sub(before.processor),
            written: self.written.saturating_sub(before.written),
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.processor += other.processor;
        self.written += other.written;
    }
}

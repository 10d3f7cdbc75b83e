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
        Ok(Taken {
            processor: self.processor_time()?,
            written: self.counted("io", "write_bytes")?,
        })
    }

    /// Of all its threads, those that have ended by now included. It is counted in ticks of the clock, a
    /// hundred a second, which over a turn is a per cent.
    fn processor_time(&self) -> Result<Duration, Failure> {
        let text = fs::read_to_string(self.file("stat"))?;
        // The name of the program, in parentheses, may hold blanks.
        let (_, fields) = text.rsplit_once(')').ok_or("a process has no stat")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let ticks = |at: usize| -> Result<u64, Failure> {
            Ok(fields.get(at).ok_or("a stat is too short")?.parse()?)
        };
        // Fields 14 and 15 of proc(5): in the program, and in the kernel for it.
        let ticks = ticks(11)? + ticks(12)?;
        let a_second = rustix::param::clock_ticks_per_second();
        Ok(Duration::from_nanos(ticks * (1_000_000_000 / a_second)))
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

//! What a process has in memory that records a million events in a minute, and how fast its disk takes a million.

use std::{fs, sync::Arc, time::Duration};

use portcullis_audit_log::{
    audit::Audit,
    clock::{Clock as _, SystemClock},
    event::Id,
    store::FileStore,
};
use portcullis_benches::figures::{Failure, Figures};

use super::events::{draft, key, origin};

/// Notes that wait at most: none is dropped then.
const WAITING: usize = 8_000;
/// How many are recorded between two looks at the memory.
const STEP: u64 = 1_000;
const MINUTE: f64 = 60.0;

/// A million in a minute, as long as a step takes then.
const STEP_AT_THAT_RATE: Duration = Duration::from_millis(60);

/// The most memory of the last half, beside that of the first tenth, at a million events a minute; and how long a million
/// take at most, beside a minute.
pub(crate) async fn memory(is_quick: bool) -> Result<Figures, Failure> {
    let (events, pace) = if is_quick {
        (10_000, Duration::ZERO)
    } else {
        (1_000_000, STEP_AT_THAT_RATE)
    };
    let mut figures = Figures::default();
    let paced = record(events, pace).await?;
    figures.add("memory", "MiB", [paced.later, paced.earlier]);
    let took = record(events, Duration::ZERO).await?.took;
    let million = took.as_secs_f64() * 1e6 / events as f64;
    figures.add("a million events", "s", [million, MINUTE]);
    Ok(figures)
}

struct Run {
    /// In the first tenth, in MiB.
    earlier: f64,
    /// In the last half, in MiB.
    later: f64,
    took: Duration,
}

/// Records so many notes, a step each `pace` or later.
async fn record(events: u64, pace: Duration) -> Result<Run, Failure> {
    let folder = tempfile::tempdir()?;
    let store = Arc::new(FileStore::builder(folder.path()).open().await?);
    let opened = Audit::builder(store.clone(), origin(), Id::constant("node-a"))
        .key(key())
        .open();
    let (audit, writing) = opened.await?;
    let writer = tokio::spawn(writing);
    let clock = SystemClock::new();
    let (start, mut due) = (clock.monotonic(), Duration::ZERO);
    let (mut earlier, mut later) = (0.0_f64, 0.0_f64);
    for number in 0..events {
        while audit.status().notes_waiting >= WAITING {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        audit.note(draft(number), None);
        if number % STEP == 0 {
            let now = resident_mib()?;
            if number < events / 10 {
                earlier = earlier.max(now);
            } else if number >= events / 2 {
                later = later.max(now);
            }
            due += pace;
            let passed = clock.monotonic() - start;
            tokio::time::sleep(due.saturating_sub(passed)).await;
        }
    }
    audit.close();
    writer.await?;
    let took = clock.monotonic() - start;
    // That it is opened, and that it is closed.
    assert_eq!(audit.status().size, events + 2, "none was dropped");
    store.close().await?;
    Ok(Run {
        earlier,
        later,
        took,
    })
}

/// What of the process is in memory, of which its heap is the most.
fn resident_mib() -> Result<f64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib.ok_or("the system does not tell")?.parse::<f64>()? / 1024.0)
}

//! Sends over many connections from a few threads: each waits for whichever of its connections has an
//! answer, and does nothing else meanwhile.

mod lane;
mod pace;

use std::{thread, time::Duration};

use portcullis_benches::histogram::Histogram;

use self::lane::Lane;
use crate::{Failure, client::Connection, now, workload::Workload};

pub(crate) use self::pace::Pace;

/// Beyond this, waking one more costs what is measured more than the thread brings.
const MOST_LANES: usize = 2;

/// Connections and what goes over them.
#[derive(Debug)]
pub(crate) struct Generator {
    lanes: Vec<Lane>,
}

/// What a while of sending came to.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) requests: u64,
    pub(crate) took: Duration,
    /// From when a request was to be sent until its answer was whole.
    pub(crate) latencies: Histogram,
}

impl Generator {
    pub(crate) fn connect(address: &str, workloads: Vec<Workload>) -> Result<Self, Failure> {
        let mut lanes = Vec::new();
        for _ in 0..workloads.len().min(MOST_LANES) {
            lanes.push(Lane::new()?);
        }
        for (number, workload) in workloads.into_iter().enumerate() {
            let lane = number % lanes.len();
            lanes[lane].add(Connection::open(address)?, workload)?;
        }
        Ok(Self { lanes })
    }

    /// Sends for so long, and waits for the last answer.
    pub(crate) fn run(&mut self, pace: Pace, length: Duration) -> Result<Sent, Failure> {
        let start = now();
        let lanes = self.lanes.len();
        let found = thread::scope(|scope| {
            let running = self.lanes.iter_mut().enumerate();
            let running: Vec<_> = running
                .map(|(number, lane)| {
                    let schedule = pace.schedule(start, length, number, lanes);
                    scope.spawn(move || lane.run(schedule))
                })
                .collect();
            let mut all = Histogram::new();
            for lane in running {
                all.add(&lane.join().map_err(|_| "a thread of the load panicked")??);
            }
            Ok::<_, Failure>(all)
        });
        let latencies = found?;
        Ok(Sent {
            requests: latencies.count(),
            took: now().duration_since(start),
            latencies,
        })
    }
}

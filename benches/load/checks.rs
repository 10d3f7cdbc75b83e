//! Rate-limit checks against one Redis server: many at once over one connection, from one thread.

mod bare;
mod limiter;
mod sent;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use portcullis_benches::{histogram::Histogram, keys::Distribution};
use rustix::time::{ClockId, clock_gettime};
use tokio::{
    runtime::{self, Runtime},
    task::{JoinSet, yield_now},
};

use self::{bare::BareScript, limiter::Limited};
use crate::{Failure, now, process::Process, turns::Outcome};

pub(crate) use self::sent::{Sent, send};

/// What decides a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decider {
    /// A script that counts up and sets when to forget: the least that a limit on a server can be.
    Bare,
    /// `RedisStore`.
    Exact,
    /// `LeaseStore` before it.
    Lease,
    /// `DenialCache` before it, asked for a tenant that has nothing left.
    Denied,
}

/// Checks that are ready to be made, so many at once.
#[derive(Debug)]
pub(crate) struct Checks {
    runtime: Runtime,
    lanes: Arc<Lanes>,
    at_once: usize,
}

/// What a while of checks came to.
#[derive(Debug)]
pub(crate) struct Made {
    pub(crate) checks: u64,
    pub(crate) took: Duration,
    /// Of each, if it asks the server.
    pub(crate) latencies: Histogram,
}

/// What all that is under way at once has in common.
#[derive(Debug)]
struct Lanes {
    asked: Asked,
    /// Of tenants, in the order in which they are asked for.
    tenants: Vec<String>,
    /// How many checks a lane makes before it looks at the clock and lets others run: one where each waits
    /// for the server, many where looking at the clock would be most of it.
    at_a_time: u64,
}

#[derive(Debug)]
enum Asked {
    Bare(BareScript),
    Limiter(Limited),
}

impl Decider {
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "bare" => Some(Self::Bare),
            "exact" => Some(Self::Exact),
            "lease" => Some(Self::Lease),
            "denied" => Some(Self::Denied),
            _ => None,
        }
    }

    /// Whether every check waits for the server.
    pub(crate) fn asks_server(self) -> bool {
        matches!(self, Self::Bare | Self::Exact)
    }
}

impl Checks {
    /// Over a connection of its own, of tenants that are all asked for alike.
    pub(crate) fn connect(
        decider: Decider,
        url: &str,
        tenants: usize,
        at_once: usize,
    ) -> Result<Self, Failure> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let asked = runtime.block_on(Asked::connect(decider, url, at_once))?;
        let drawn = Distribution::Uniform.draw(tenants, tenants * 8);
        let tenants = drawn
            .into_iter()
            .map(|tenant| format!("tenant-{tenant:06}"));
        let lanes = Lanes {
            asked,
            tenants: tenants.collect(),
            at_a_time: if decider.asks_server() { 1 } else { 64 },
        };
        Ok(Self {
            runtime,
            lanes: Arc::new(lanes),
            at_once,
        })
    }

    /// As many as there is time for, added to what came before: what they take of this process, and of the
    /// server's.
    pub(crate) fn turn(
        &self,
        length: Duration,
        process: &Process,
        client: &mut Outcome,
        server: &mut Outcome,
    ) -> Result<(), Failure> {
        let before = process.taken()?;
        let processor_before = clock_gettime(ClockId::ProcessCPUTime);
        let made = self.make(length)?;
        let processor = clock_gettime(ClockId::ProcessCPUTime) - processor_before;
        client.taken.processor += Duration::try_from(processor)?;
        client
            .rates
            .push(made.checks as f64 / made.took.as_secs_f64());
        client.units += made.checks;
        client.latencies.add(&made.latencies);
        server.taken.add(process.taken()?.since(before));
        server.units += made.checks;
        Ok(())
    }

    /// As many as there is time for.
    pub(crate) fn make(&self, length: Duration) -> Result<Made, Failure> {
        let began = now();
        let mut running = JoinSet::new();
        for number in 0..self.at_once {
            let lanes = Arc::clone(&self.lanes);
            let first = number * lanes.tenants.len() / self.at_once;
            let lane = async move { lanes.run(first, began + length).await };
            running.spawn_on(lane, self.runtime.handle());
        }
        let (mut checks, mut latencies) = (0, Histogram::new());
        self.runtime.block_on(async {
            while let Some(ended) = running.join_next().await {
                let (made, took) = ended??;
                checks += made;
                latencies.add(&took);
            }
            Ok::<_, Failure>(())
        })?;
        Ok(Made {
            checks,
            took: now().duration_since(began),
            latencies,
        })
    }
}

impl Lanes {
    /// One check after the other.
    async fn run(&self, first: usize, end: Instant) -> Result<(u64, Histogram), Failure> {
        let mut tenants = self.tenants.iter().cycle().skip(first);
        let (mut checks, mut latencies) = (0, Histogram::new());
        let mut began = now();
        while began < end {
            for tenant in tenants.by_ref().take(usize::try_from(self.at_a_time)?) {
                self.asked.check(tenant).await?;
            }
            checks += self.at_a_time;
            let ended = now();
            latencies.record(ended.duration_since(began));
            began = ended;
            if self.at_a_time > 1 {
                yield_now().await;
            }
        }
        Ok((checks, latencies))
    }
}

impl Asked {
    async fn connect(decider: Decider, url: &str, at_once: usize) -> Result<Self, Failure> {
        Ok(match decider {
            Decider::Bare => Self::Bare(BareScript::connect(url, at_once).await?),
            _ => Self::Limiter(Limited::connect(decider, url, at_once)?),
        })
    }

    /// Fails if the answer is not the one that is measured.
    async fn check(&self, tenant: &str) -> Result<(), Failure> {
        match self {
            Self::Bare(script) => script.check(tenant).await,
            Self::Limiter(limiter) => limiter.check(tenant).await,
        }
    }
}

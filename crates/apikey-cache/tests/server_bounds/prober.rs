//! Asks a node about keys all the time, and remembers when it last accepted each.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use portcullis_apikey_cache::{ApiKey, ApiKeyCache, Denied, Kid};

use crate::{node::Node, wait::wait_for};

/// How many keys are revoked for a row.
const REVOCATIONS: usize = 200;
/// How many others there are.
const OTHERS: usize = 10;

/// A thread that validates keys on one node, until it is dropped.
pub(crate) struct Prober {
    started: Instant,
    /// Those that are to be revoked, and the others.
    probes: Arc<(Vec<Probe>, Vec<Probe>)>,
    rounds: Arc<AtomicU64>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// A key, and what was answered.
struct Probe {
    key: ApiKey,
    /// In nanoseconds since the start: when the last check that accepted it began.
    accepted: AtomicU64,
    refusals: AtomicU64,
    failures: AtomicU64,
}

impl Prober {
    /// Of keys that `issuer` makes; returns when each of them is in the memory of `node`.
    pub(crate) async fn start(node: &Node, issuer: &Node) -> Self {
        let prober = Self::start_cold(node, issuer).await;
        wait_for("keys in memory", async || {
            let before = node.cache.stats();
            prober.whole_round().await;
            let after = node.cache.stats();
            (after.misses == before.misses && prober.all_accepted()).then_some(())
        })
        .await;
        prober
    }

    /// The same of keys that `node` may still have to load, or never keeps.
    pub(crate) async fn start_cold(node: &Node, issuer: &Node) -> Self {
        let mut keys = Vec::new();
        for _ in 0..REVOCATIONS + OTHERS {
            keys.push(Probe::new(issuer.issue().await));
        }
        let others = keys.split_off(REVOCATIONS);
        let started = Instant::now();
        let probes = Arc::new((keys, others));
        let rounds = Arc::<AtomicU64>::default();
        let ends = Arc::<AtomicBool>::default();
        let (cache, in_thread) = (node.cache.clone(), Arc::clone(&probes));
        let (counted, told) = (Arc::clone(&rounds), Arc::clone(&ends));
        let thread = thread::spawn(move || {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_all().build().unwrap();
            while !told.load(Ordering::SeqCst) {
                runtime.block_on(async {
                    let all = in_thread.0.iter().chain(&in_thread.1);
                    let round = all.map(|probe| probe.check(&cache, started));
                    join_all(round).await;
                    // Tasks run too that give connections back; nothing else may have had to wait.
                    tokio::task::yield_now().await;
                });
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self {
            started,
            probes,
            rounds,
            ends,
            thread: Some(thread),
        }
    }

    pub(crate) fn kids(&self) -> impl Iterator<Item = &Kid> {
        self.probes.0.iter().map(|probe| probe.key.kid())
    }

    /// How many keys there are.
    pub(crate) fn keys(&self) -> usize {
        self.probes.0.len() + self.probes.1.len()
    }

    /// One after another.
    pub(crate) async fn revoke_all(&self, by: &ApiKeyCache) {
        for kid in self.kids() {
            by.revoke(kid).await.unwrap();
        }
    }

    /// Waits until every key was asked about once more.
    pub(crate) async fn whole_round(&self) {
        // One is under way.
        let last = self.rounds.load(Ordering::SeqCst) + 2;
        wait_for("a round of checks", async || {
            (self.rounds.load(Ordering::SeqCst) >= last).then_some(())
        })
        .await;
    }

    /// Waits until every key was accepted.
    pub(crate) async fn accepts_all(&self) {
        wait_for("accepted keys", async || self.all_accepted().then_some(())).await;
    }

    /// From one check of a key to the next, on average: figures are no finer than this.
    pub(crate) fn every(&self) -> Duration {
        let rounds = self.rounds.load(Ordering::SeqCst).max(1);
        self.started.elapsed() / u32::try_from(rounds).unwrap()
    }

    fn all_accepted(&self) -> bool {
        let mut all = self.probes.0.iter().chain(&self.probes.1);
        all.all(|probe| probe.accepted.load(Ordering::SeqCst) > 0)
    }

    /// How long after these dates the last check began that accepted the key, for all that are revoked.
    pub(crate) fn late(&self, since: &BTreeMap<Kid, Instant>) -> Vec<Duration> {
        let late = |probe: &Probe| {
            let last = Duration::from_nanos(probe.accepted.load(Ordering::SeqCst));
            (self.started + last).saturating_duration_since(since[probe.key.kid()])
        };
        self.probes.0.iter().map(late).collect()
    }

    /// How many of the keys that are to be revoked were accepted so far.
    pub(crate) fn accepted(&self) -> usize {
        let accepted = |probe: &&Probe| probe.accepted.load(Ordering::SeqCst) > 0;
        self.probes.0.iter().filter(accepted).count()
    }

    /// How many of the revoked keys were refused so far.
    pub(crate) fn refused(&self) -> usize {
        let refused = |probe: &&Probe| probe.refusals.load(Ordering::SeqCst) > 0;
        self.probes.0.iter().filter(refused).count()
    }

    /// When each of the other keys was last accepted, at least.
    pub(crate) fn others_accepted_at(&self) -> Instant {
        let accepted = |probe: &Probe| probe.accepted.load(Ordering::SeqCst);
        let least = self.probes.1.iter().map(accepted).min().unwrap();
        self.started + Duration::from_nanos(least)
    }

    /// How often a check of one of the other keys could not be made. None was refused.
    pub(crate) fn others_failed(&self) -> u64 {
        let sum = |count: fn(&Probe) -> &AtomicU64| -> u64 {
            let counts = self.probes.1.iter().map(count);
            counts.map(|count| count.load(Ordering::SeqCst)).sum()
        };
        assert_eq!(sum(|probe| &probe.refusals), 0, "good keys were refused");
        sum(|probe| &probe.failures)
    }
}

impl Drop for Prober {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        // A panic of the thread was printed.
        drop(self.thread.take().map(JoinHandle::join));
    }
}

impl Probe {
    fn new(key: ApiKey) -> Self {
        Self {
            key,
            accepted: AtomicU64::new(0),
            refusals: AtomicU64::new(0),
            failures: AtomicU64::new(0),
        }
    }

    async fn check(&self, cache: &ApiKeyCache, started: Instant) {
        let began = started.elapsed();
        match cache.validate(&self.key).await {
            Ok(_) => {
                let began = u64::try_from(began.as_nanos()).unwrap();
                self.accepted.store(began, Ordering::SeqCst);
            }
            Err(Denied::Unauthorized) => {
                self.refusals.fetch_add(1, Ordering::SeqCst);
            }
            Err(_) => {
                self.failures.fetch_add(1, Ordering::SeqCst);
            }
        }
    }
}

//! The index roots in the state that the database has their versions in, read again and again: which
//! versions are written and which one is looked up changes while the service runs.

use std::{future::Future, sync::Arc, time::Duration};

use arc_swap::{ArcSwap, ArcSwapOption};
use portcullis_pii_crypto::{IndexPhase, IndexRoots, IndexState, IndexVersion};
use portcullis_telemetry::BackgroundTask;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{SecretCheck, Store, StoreError};
use crate::clock::Clock;

/// The roots that are configured, which may be replaced while the service runs.
pub(crate) type ConfiguredRoots = Arc<ArcSwap<IndexRoots>>;

/// The configured roots, narrowed to the versions that are live. Cheap to clone; clones share what was read.
#[derive(Debug, Clone)]
pub(crate) struct LiveIndexRoots {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// What the database remembers their check values under.
    secret: &'static str,
    configured: ConfiguredRoots,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// None before it was read for the first time.
    read: ArcSwapOption<StateRead>,
}

#[derive(Debug)]
struct StateRead {
    state: IndexState,
    /// By the monotonic clock, when the reading began.
    at: Duration,
    /// What the roots below were narrowed from.
    configured: Arc<IndexRoots>,
    roots: Result<IndexRoots, UnusableState>,
}

/// Why nothing is indexed and nothing looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnusableState {
    #[error("which versions of the index root are live was not read for {} s", STALE.as_secs())]
    Stale,
    #[error("version {0} of the index root is live and not configured: add it")]
    NotConfigured(IndexVersion),
    #[error("version {0} of the index root is not the one that the others have: restore it")]
    Different(IndexVersion),
}

const TASK: BackgroundTask = BackgroundTask::new("follow_index_state");

/// From one reading to the next.
const READ_EVERY: Duration = Duration::from_secs(5);
/// The age at which what was read is not gone by any more. A rotation waits far longer from one phase to the
/// next, for every process to know of it.
const STALE: Duration = Duration::from_secs(10);
/// A reading that takes longer is begun again.
const READ_WITHIN: Duration = Duration::from_secs(2);

impl LiveIndexRoots {
    /// Those of a database; nothing is read yet. `secret` is what it remembers their check values under.
    pub(crate) fn new(
        secret: &'static str,
        configured: ConfiguredRoots,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let read = ArcSwapOption::empty();
        Self {
            shared: Arc::new(Shared {
                secret,
                configured,
                store,
                clock,
                read,
            }),
        }
    }

    /// The roots to index and to look up with, for one request.
    ///
    /// # Errors
    /// [`UnusableState`]: what would be written could not be found by others, or not be told from it.
    pub(crate) fn present(&self) -> Result<IndexRoots, UnusableState> {
        let shared = &*self.shared;
        let read = shared.read.load();
        let read = read.as_ref().ok_or(UnusableState::Stale)?;
        if shared.clock.monotonic().saturating_sub(read.at) >= STALE {
            return Err(UnusableState::Stale);
        }
        let configured = shared.configured.load();
        if Arc::ptr_eq(&configured, &read.configured) {
            return read.roots.clone();
        }
        // Replaced since: it is narrowed in the same way until the next reading, which compares it.
        narrowed(&configured, &read.state)
    }

    /// The roots that are configured, whether or not the database has them live.
    pub(crate) fn configured(&self) -> Arc<IndexRoots> {
        self.shared.configured.load_full()
    }

    /// The live versions with their phases, as they were read last.
    pub(crate) fn phases(&self) -> Vec<(IndexVersion, IndexPhase)> {
        let read = self.shared.read.load();
        let rows = read.iter().flat_map(|read| read.state.rows());
        rows.map(|(version, phase, _)| (version, phase)).collect()
    }

    /// Reads the state now.
    ///
    /// # Errors
    /// The database does not say; what was read before stands until it is too old.
    pub(crate) async fn read(&self) -> Result<(), StoreError> {
        let shared = &*self.shared;
        let at = shared.clock.monotonic();
        let configured = shared.configured.load_full();
        let state = shared.store.index_state().await?;
        let roots = match shared.read.load().as_ref() {
            Some(read) if read.state == state && Arc::ptr_eq(&read.configured, &configured) => {
                read.roots.clone()
            }
            _ => self.compared(&configured, &state).await?,
        };
        if let Err(error) = &roots {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "nothing can be indexed"
            );
        }
        shared.read.store(Some(Arc::new(StateRead {
            state,
            at,
            configured,
            roots,
        })));
        Ok(())
    }

    /// Reads it again and again, until it is dropped.
    pub(crate) fn follow(&self) -> impl Future<Output = ()> + Send + 'static {
        let roots = self.clone();
        async move {
            let mut ticks = interval(READ_EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let read = async {
                    while !roots.read_in_time().await {
                        tokio::time::sleep(READ_WITHIN / 4).await;
                    }
                };
                TASK.run(read).await;
            }
        }
    }

    async fn read_in_time(&self) -> bool {
        match timeout(READ_WITHIN, self.read()).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "which index versions are live cannot be read");
                false
            }
            Err(_) => {
                tracing::warn!("which index versions are live is not read in time");
                false
            }
        }
    }

    /// The live ones, if each is the one that the database knows under its version.
    async fn compared(
        &self,
        configured: &IndexRoots,
        state: &IndexState,
    ) -> Result<Result<IndexRoots, UnusableState>, StoreError> {
        let remembered = self.shared.store.secret_checks().await?;
        let values = configured.check_values();
        for version in state.live() {
            let number = u32::from(version.value());
            let given = values.iter().find(|(it, _)| it.value() == number);
            let is_it = |check: &&SecretCheck| {
                check.secret == self.shared.secret && check.version == number
            };
            if let Some((_, given)) = given
                && let Some(known) = remembered.iter().find(is_it)
                && given.as_bytes().as_slice() != known.value
            {
                return Ok(Err(UnusableState::Different(version)));
            }
        }
        Ok(narrowed(configured, state))
    }
}

fn narrowed(configured: &IndexRoots, state: &IndexState) -> Result<IndexRoots, UnusableState> {
    let roots = configured.in_state(state);
    roots.map_err(|unknown| UnusableState::NotConfigured(unknown.version()))
}

//! How many keys and rows there are, counted now and then: for gauges, and for those who look.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    sync::Arc,
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwapOption;
use portcullis_keyring::{
    DATA_KEY_PERIOD, KeyId, KeyState, Purpose,
    kek::KekProvider,
    store::{DekStore, KeyQuery, StoredKey},
};
use portcullis_telemetry::BackgroundTask;

use super::{
    DataKeyError, KeyMaterial,
    kek_age::{KekAge, OldestWrapped},
};
use crate::{
    clock::Clock,
    store::{StoreError, Sweeping},
};

/// The age from which a key that seals is overdue, whether or not keys are rotated by themselves.
const OVERDUE_AFTER: Duration = DATA_KEY_PERIOD;

const TASK: BackgroundTask = BackgroundTask::new("count_data_keys");

/// From one count to the next. Every key is read and every row's references are counted, so that it is not done
/// for each scrape.
const COUNT_EVERY: Duration = Duration::from_secs(30);
/// Where it takes long, it takes no more than a twentieth of the time.
const SHARE: u32 = 20;
/// How old a number of rows may be that an operator is shown.
const FRESH: Duration = Duration::from_secs(5);
const PAGE: NonZeroU32 = NonZeroU32::new(1_000).expect("1,000 is not zero");

/// What was counted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Census {
    pub(crate) keys: BTreeMap<KeyState, u64>,
    /// How old the oldest key is that seals, by purpose.
    pub(crate) oldest_primary: BTreeMap<Purpose, Duration>,
    pub(crate) overdue: u64,
    /// Keys whose rows, or wrapped bytes, are not what was written: what they sealed does not open. And how many rows
    /// need those whose rows cannot be read.
    pub(crate) damaged: u64,
    pub(crate) rows_of_damaged: u64,
    /// By the version of the key-encryption key that wrapped them; none where that is not known.
    pub(crate) kek_versions: BTreeMap<Option<String>, u64>,
    /// For how long the version has wrapped that wraps now; none where that is not known.
    pub(crate) kek_age: Option<Duration>,
    /// Rows that need a key, by its state; none for keys that are not there.
    pub(crate) rows: BTreeMap<Option<KeyState>, u64>,
}

type RowsByKey = Arc<BTreeMap<KeyId, u64>>;

/// Counts, and remembers what it counted last. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct KeyCensus {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Arc<dyn DekStore>,
    kek: Arc<dyn KekProvider>,
    sweeps: Arc<dyn Sweeping>,
    kek_age: KekAge,
    clock: Arc<dyn Clock>,
    counted: ArcSwapOption<Census>,
    rows: ArcSwapOption<(Duration, RowsByKey)>,
}

impl KeyCensus {
    pub(crate) fn new(keys: &KeyMaterial, clock: Arc<dyn Clock>) -> Self {
        Self {
            shared: Arc::new(Shared {
                store: Arc::clone(&keys.store),
                kek: Arc::clone(&keys.kek),
                sweeps: Arc::clone(&keys.sweeps),
                kek_age: KekAge::new(
                    Arc::clone(&keys.kek),
                    Arc::clone(&keys.secrets),
                    Arc::clone(&clock),
                ),
                clock,
                counted: ArcSwapOption::empty(),
                rows: ArcSwapOption::empty(),
            }),
        }
    }

    /// What was counted last, if anything was.
    pub(crate) fn last(&self) -> Option<Arc<Census>> {
        self.shared.counted.load_full()
    }

    /// Counts again and again, until it is dropped.
    pub(crate) async fn run(self) {
        loop {
            let began = self.shared.clock.monotonic();
            let counting = async {
                if let Err(error) = self.count().await {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, "the data keys and their rows were not counted");
                }
            };
            TASK.run(counting).await;
            let took = self.shared.clock.monotonic().saturating_sub(began);
            tokio::time::sleep(COUNT_EVERY.max(took * SHARE)).await;
        }
    }

    /// How many rows need each key, as of a few seconds ago.
    pub(super) async fn rows_by_key(&self) -> Result<RowsByKey, StoreError> {
        let shared = &*self.shared;
        let now = shared.clock.monotonic();
        if let Some(known) = shared.rows.load().as_ref()
            && now.saturating_sub(known.0) < FRESH
        {
            return Ok(Arc::clone(&known.1));
        }
        let rows = Arc::new(shared.sweeps.rows_by_key().await?);
        shared.rows.store(Some(Arc::new((now, Arc::clone(&rows)))));
        Ok(rows)
    }

    /// They are others by now.
    pub(super) fn forget_rows(&self) {
        self.shared.rows.store(None);
    }

    async fn count(&self) -> Result<(), DataKeyError> {
        let shared = &*self.shared;
        let now: SystemTime = shared.clock.wall().into();
        let mut census = Census::default();
        let (mut states, mut damaged) = (BTreeMap::new(), BTreeSet::new());
        let mut wrapped = OldestWrapped::new();
        let mut query = KeyQuery::all(PAGE);
        loop {
            let page = shared.store.list(&query).await?;
            let Some(last) = page.last_id() else { break };
            query = query.after(last);
            damaged.extend(page.damaged.iter().map(|key| key.id));
            for key in &page.keys {
                states.insert(key.id(), key.state());
                census.add(key, &*shared.kek, now, &mut wrapped);
            }
        }
        census.damaged += u64::try_from(damaged.len()).unwrap_or(u64::MAX);
        census.kek_age = shared.kek_age.now(&wrapped).await;
        for (key, rows) in &*self.rows_by_key().await? {
            if damaged.contains(key) {
                census.rows_of_damaged += rows;
                continue;
            }
            *census.rows.entry(states.get(key).copied()).or_default() += rows;
        }
        let before = self.last().map_or(0, |census| census.damaged);
        if census.damaged > before {
            tracing::error!(
                rows = census.damaged,
                "data keys are damaged, and what they sealed does not open: `keys list` names them; restore their rows \
                 from a backup"
            );
        }
        shared.counted.store(Some(Arc::new(census)));
        Ok(())
    }
}

impl Census {
    fn add(
        &mut self,
        key: &StoredKey,
        kek: &dyn KekProvider,
        now: SystemTime,
        oldest: &mut OldestWrapped,
    ) {
        *self.keys.entry(key.state()).or_default() += 1;
        if key.state() == KeyState::Primary {
            let oldest = self.oldest_primary.entry(key.purpose().clone());
            let oldest = oldest.or_default();
            *oldest = key.age(now).max(*oldest);
            self.overdue += u64::from(key.is_overdue(now, OVERDUE_AFTER));
        }
        if let Some(wrapped) = key.wrapped() {
            let version = kek.version_of(wrapped);
            self.damaged += u64::from(version.is_none());
            let first = oldest
                .entry(version.clone())
                .or_insert_with(|| key.created_at());
            *first = key.created_at().min(*first);
            *self.kek_versions.entry(version).or_default() += 1;
        }
    }
}

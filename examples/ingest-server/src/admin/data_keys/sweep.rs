//! Going over all rows: sealing them under the keys that seal now, and counting what they need.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    time::{Duration, SystemTime},
};

use portcullis_keyring::{
    KeyId, KeyState,
    store::{DamagedKey, KeyQuery, LoadedKeys, StoredKey},
    sweep::Progress,
};
use portcullis_pii_crypto::reencrypt::{Report, Scope, UnusableKey, Verified};
use serde::Serialize;

use super::{
    Action, Actor, DataKeyAction, DataKeyError, DataKeySelection, DataKeys, FailedRow, OnProgress,
    RowCount, SweepPace, UnusableDataKey,
};

/// What came of sealing rows again.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Reencrypted {
    /// How many keys only open, and were to be freed of rows.
    pub(crate) keys: usize,
    pub(crate) rows: u64,
    pub(crate) rewritten: u64,
    /// Others wrote them first.
    pub(crate) skipped: u64,
    pub(crate) failed: u64,
    /// Rows that still need one of the keys.
    pub(crate) left: u64,
    /// The first of those that failed; of those that do for their key, a few.
    pub(crate) failures: Vec<FailedRow>,
    /// Keys that rows fail for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unusable_keys: Vec<UnusableDataKey>,
    /// Keys that rows need and that nothing can be sealed again from: they are refused, damaged, destroyed or not
    /// there. None of these rows is among those above.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) passed_over: Vec<RowCount>,
    #[serde(skip)]
    unusable: BTreeMap<KeyId, UnusableKey>,
}

/// What rows need, as found by opening each.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct VerifiedRows {
    pub(crate) rows: u64,
    pub(crate) failed: u64,
    pub(crate) keys: Vec<RowCount>,
    /// Keys that are noted for other rows than those that need them; of keys in use, rows that were written
    /// meanwhile.
    pub(crate) differing: Vec<String>,
    /// The first of those that do not open; of those that do not for their key, a few.
    pub(crate) failures: Vec<FailedRow>,
    /// Keys that open nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) unusable_keys: Vec<UnusableDataKey>,
}

/// What a sweep is known by to the one that goes on with it.
const SWEEP: &str = "reencrypt";
/// Keys whose rows are gone over together.
const TOGETHER: usize = 500;
const PAGE: NonZeroU32 = NonZeroU32::new(500).expect("500 is not zero");
/// After so long everything is stored that was sealed under a key before it was demoted.
const SETTLED_AFTER: Duration = Duration::from_secs(60);

impl DataKeys {
    /// Seals everything under the keys that seal now that is sealed under keys which only open, until no row
    /// is left or each that is has a reason. It writes beside requests, and destroys nothing. Run again, it
    /// goes on where it was.
    pub(crate) async fn reencrypt(
        &self,
        actor: &Actor,
        selection: &DataKeySelection,
        pace: SweepPace,
        progress: OnProgress<'_>,
    ) -> Result<Reencrypted, DataKeyError> {
        let action = Action::DataKeys {
            what: DataKeyAction::Reencrypt,
            tenant: selection.tenant.as_deref(),
            key: None,
        };
        let query = selection.query(PAGE);
        let query = query.map_err(|error| self.recorder.rejected(actor, action, error))?;
        let reencrypt = async {
            self.check_tenant(&query).await?;
            let mut outcome = self.reencrypt_all(query.clone(), pace, progress).await?;
            outcome.unusable_keys = self.unusable(&outcome.unusable).await?;
            outcome.passed_over = self.passed_over(&query).await?;
            Ok(outcome)
        };
        self.recorder.change(actor, action, reencrypt).await
    }

    async fn reencrypt_all(
        &self,
        query: KeyQuery,
        pace: SweepPace,
        progress: OnProgress<'_>,
    ) -> Result<Reencrypted, DataKeyError> {
        let retired = query.in_states([KeyState::DecryptOnly]);
        let mut outcome = Reencrypted::default();
        loop {
            let began: SystemTime = self.clock.wall().into();
            let keys = self.all(&retired).await?.keys;
            outcome.keys = keys.len();
            outcome.left = 0;
            outcome.failures.clear();
            outcome.unusable.clear();
            for keys in keys.chunks(TOGETHER) {
                self.reencrypt_keys(keys, pace, &mut outcome, progress)
                    .await?;
            }
            // What others sealed before they knew of a demotion, and have stored since.
            let settled = keys.iter().map(|key| key.state_since() + SETTLED_AFTER);
            let settled = settled.max().unwrap_or(began);
            if settled <= began {
                self.census.forget_rows();
                return Ok(outcome);
            }
            let now: SystemTime = self.clock.wall().into();
            let wait = settled.duration_since(now).unwrap_or_default();
            let waiting = "waiting until every process has stored what it sealed before";
            progress(waiting, &Progress::default());
            tokio::time::sleep(wait.min(SETTLED_AFTER)).await;
        }
    }

    async fn reencrypt_keys(
        &self,
        keys: &[StoredKey],
        pace: SweepPace,
        outcome: &mut Reencrypted,
        progress: OnProgress<'_>,
    ) -> Result<(), DataKeyError> {
        let scope = Scope::Keys(keys.iter().map(StoredKey::id).collect());
        let reencryptor = self.reencryptor(pace);
        for rows in self.tables().await? {
            let mut report = |done: &Progress| progress(rows.table(), done);
            let swept = reencryptor.run(&*rows, &scope, SWEEP, &mut report).await?;
            outcome.add(&swept);
        }
        Ok(())
    }

    /// Opens every row, and counts which keys they need.
    pub(crate) async fn verify(
        &self,
        actor: &Actor,
        progress: OnProgress<'_>,
    ) -> Result<VerifiedRows, DataKeyError> {
        let action = Action::DataKeys {
            what: DataKeyAction::Verify,
            tenant: None,
            key: None,
        };
        let verify = async {
            let verified = self.verified(&BTreeSet::new(), progress).await?;
            let needed = verified.rows_per_key.iter();
            let keys = self.counts(needed.map(|(id, rows)| (*id, *rows))).await?;
            let differing = verified.differing();
            Ok(VerifiedRows {
                rows: verified.progress.done,
                failed: verified.progress.failed,
                keys,
                differing: differing.map(|(key, _, _)| key.to_string()).collect(),
                failures: verified.failures.iter().map(FailedRow::from).collect(),
                unusable_keys: self.unusable(&verified.unusable).await?,
            })
        };
        self.recorder.read(actor, action, verify).await
    }

    /// What every row of every table needs; `keys` are those that are to be retired.
    pub(super) async fn verified(
        &self,
        keys: &BTreeSet<KeyId>,
        progress: OnProgress<'_>,
    ) -> Result<Verified, DataKeyError> {
        let reencryptor = self.reencryptor(SweepPace::default());
        let mut verified: Option<Verified> = None;
        for rows in self.tables().await? {
            let mut report = |done: &Progress| progress(rows.table(), done);
            let found = reencryptor.verify(&*rows, keys, &mut report).await?;
            verified = Some(match verified {
                Some(before) => before.and(found),
                None => found,
            });
        }
        verified.ok_or_else(|| DataKeyError::other("no table holds personal data"))
    }

    /// Every key of a query, those that are damaged included.
    pub(super) async fn all(&self, query: &KeyQuery) -> Result<LoadedKeys, DataKeyError> {
        let (mut query, mut keys) = (query.clone(), LoadedKeys::default());
        loop {
            let page = self.keys.store.list(&query).await?;
            let Some(last) = page.last_id() else {
                return Ok(keys);
            };
            query = query.after(last);
            keys.keys.extend(page.keys);
            keys.damaged.extend(page.damaged);
        }
    }

    /// Keys of a selection, whatever became of them, that rows need and nothing can be sealed again from. Of one that
    /// is not there nobody knows whose it is: it counts where all keys are meant.
    async fn passed_over(&self, query: &KeyQuery) -> Result<Vec<RowCount>, DataKeyError> {
        self.census.forget_rows();
        let rows = self.census.rows_by_key().await?;
        let ids: Vec<KeyId> = rows.keys().copied().collect();
        let is_of_all = query.tenant().is_none() && query.purpose().is_none();
        let mut counts = Vec::new();
        for ids in ids.chunks(TOGETHER) {
            let found = self.keys.store.load_many(ids).await?;
            let usable = found.keys.iter().filter(|key| key.state().opens());
            let usable: BTreeSet<KeyId> = usable.map(StoredKey::id).collect();
            let of_query = found.keys.iter().filter(|key| query.matches(key));
            let mut meant: BTreeSet<KeyId> = of_query.map(StoredKey::id).collect();
            let may_be = |key: &&DamagedKey| {
                let (tenant, purpose) = (query.tenant(), query.purpose());
                tenant.is_none_or(|it| key.tenant.as_ref().is_none_or(|of| of == it))
                    && purpose.is_none_or(|it| key.purpose.as_ref().is_none_or(|of| of == it))
            };
            meant.extend(found.damaged.iter().filter(may_be).map(|key| key.id));
            let is_there = |id: &KeyId| {
                let damaged = found.damaged.iter().any(|key| key.id == *id);
                damaged || found.keys.iter().any(|key| key.id() == *id)
            };
            for id in ids.iter().filter(|id| !usable.contains(id)) {
                if meant.contains(id) || is_of_all && !is_there(id) {
                    let rows = rows.get(id).copied().unwrap_or_default();
                    counts.push(RowCount::new(*id, rows, &found));
                }
            }
        }
        Ok(counts)
    }

    /// What is known of keys beside how many rows need them.
    async fn counts(
        &self,
        rows: impl Iterator<Item = (KeyId, u64)>,
    ) -> Result<Vec<RowCount>, DataKeyError> {
        let rows: Vec<(KeyId, u64)> = rows.collect();
        let mut counts = Vec::with_capacity(rows.len());
        for rows in rows.chunks(TOGETHER) {
            let ids: Vec<KeyId> = rows.iter().map(|(id, _)| *id).collect();
            let found = self.keys.store.load_many(&ids).await?;
            let count = |(id, rows): &(KeyId, u64)| RowCount::new(*id, *rows, &found);
            counts.extend(rows.iter().map(count));
        }
        Ok(counts)
    }

    async fn unusable(
        &self,
        keys: &BTreeMap<KeyId, UnusableKey>,
    ) -> Result<Vec<UnusableDataKey>, DataKeyError> {
        let counts = self.counts(keys.iter().map(|(id, key)| (*id, key.rows)));
        let counts = counts.await?.into_iter();
        let reasons = keys.values().map(|key| key.reason.to_string());
        let keys = counts.zip(reasons);
        Ok(keys
            .map(|(count, reason)| UnusableDataKey { count, reason })
            .collect())
    }
}

impl Reencrypted {
    fn add(&mut self, report: &Report) {
        self.rows += report.progress.done.saturating_sub(report.progress.earlier);
        self.rewritten += report.progress.changed;
        self.skipped += report.progress.skipped;
        self.failed += report.progress.failed;
        self.left += report.left;
        let failures = report.failures.iter().chain(&report.duplicates);
        let room = Report::MAX_LISTED.saturating_sub(self.failures.len());
        self.failures
            .extend(failures.take(room).map(FailedRow::from));
        for (key, unusable) in &report.unusable {
            let known = self.unusable.entry(*key);
            let known = known.and_modify(|it| it.rows += unusable.rows);
            known.or_insert(*unusable);
        }
    }
}

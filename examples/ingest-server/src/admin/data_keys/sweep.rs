//! Going over all rows: sealing them under the keys that seal now, and counting what they need.

use std::{
    collections::BTreeSet,
    num::NonZeroU32,
    time::{Duration, SystemTime},
};

use portcullis_keyring::{
    KeyId, KeyState,
    store::{KeyQuery, StoredKey},
    sweep::Progress,
};
use portcullis_pii_crypto::reencrypt::{Report, Scope, Verified};
use serde::Serialize;

use super::{
    Action, Actor, DataKeyAction, DataKeyError, DataKeySelection, DataKeys, FailedRow, OnProgress,
    RowCount, SweepPace,
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
    /// The first of those that failed.
    pub(crate) failures: Vec<FailedRow>,
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
    /// The first of those that do not open.
    pub(crate) failures: Vec<FailedRow>,
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
        let reencrypt = self.reencrypt_all(query, pace, progress);
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
            let keys = self.all(&retired).await?;
            outcome.keys = keys.len();
            outcome.left = 0;
            outcome.failures.clear();
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
            let ids: Vec<KeyId> = verified.rows_per_key.keys().copied().collect();
            let mut keys = Vec::with_capacity(ids.len());
            for ids in ids.chunks(TOGETHER) {
                keys.extend(self.keys.store.load_many(ids).await?.keys);
            }
            Ok(VerifiedRows::new(&verified, &keys))
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

    /// Those that can be read: what is sealed under others a verification lists, row by row.
    async fn all(&self, query: &KeyQuery) -> Result<Vec<StoredKey>, DataKeyError> {
        let (mut query, mut keys) = (query.clone(), Vec::new());
        loop {
            let page = self.keys.store.list(&query).await?;
            let Some(last) = page.last_id() else {
                return Ok(keys);
            };
            query = query.after(last);
            keys.extend(page.keys);
        }
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
    }
}

impl VerifiedRows {
    fn new(verified: &Verified, keys: &[StoredKey]) -> Self {
        let count = |(id, rows): (&KeyId, &u64)| {
            let key = keys.iter().find(|key| key.id() == *id);
            RowCount {
                key: id.to_string(),
                tenant: key.map(|key| key.tenant().to_string()),
                purpose: key.map(|key| key.purpose().to_string()),
                state: key.map(|key| key.state().as_str()),
                rows: *rows,
            }
        };
        let differing = verified.differing();
        Self {
            rows: verified.progress.done,
            failed: verified.progress.failed,
            keys: verified.rows_per_key.iter().map(count).collect(),
            differing: differing.map(|(key, _, _)| key.to_string()).collect(),
            failures: verified.failures.iter().map(FailedRow::from).collect(),
        }
    }
}

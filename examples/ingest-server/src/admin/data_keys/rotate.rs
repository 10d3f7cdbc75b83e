//! New keys to seal with.

use std::{
    collections::BTreeSet,
    num::NonZeroU32,
    time::{Duration, SystemTime},
};

use portcullis_keyring::{
    KeyId, KeyState, Purpose, RotateError, Rotation, TenantId,
    store::{LoadedKeys, StoredKey},
    sweep::Progress,
};
use serde::Serialize;

use super::{
    Action, Actor, DataKeyAction, DataKeyError, DataKeyRotation, DataKeySelection, DataKeys,
    OnProgress,
};
use crate::timestamp;

/// Which keys seal now, and which did before.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct RotatedDataKeys {
    pub(crate) rotated: Vec<RotatedDataKey>,
    pub(crate) failed: Vec<FailedDataKey>,
    /// Those that somebody else has rotated meanwhile.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) by_others: Vec<RotatedDataKey>,
    /// When a rotation began that was not ended, and is gone on with: what it has promoted is left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resumed_from: Option<String>,
    /// How many keys that one has promoted, and how many are younger than was asked for.
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) passed_over: usize,
}

/// A key that took the place of another.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RotatedDataKey {
    pub(crate) tenant: String,
    pub(crate) purpose: String,
    pub(crate) key: String,
    /// It opens what it sealed, until nothing needs it.
    pub(crate) former: String,
}

/// A key that stayed as it was.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FailedDataKey {
    pub(crate) key: String,
    pub(crate) error: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes what it asks about by reference"
)]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// A rotation that was not ended is gone on with for so long. After that, somebody who rotates means every key.
const RESUMED_WITHIN: Duration = Duration::from_secs(24 * 60 * 60);

/// Keys that are read at once.
const PAGE: NonZeroU32 = NonZeroU32::new(500).expect("500 is not zero");

/// A new key, and when it may be promoted.
struct Made {
    tenant: TenantId,
    purpose: Purpose,
    former: KeyId,
    key: KeyId,
}

impl DataKeys {
    /// Rotates the keys of a selection: makes new ones, waits until every process is sure to know them, and
    /// promotes them. What was begun and not ended is gone on with: pending keys tell that, and what was promoted
    /// after they were made is not rotated again.
    pub(crate) async fn rotate(
        &self,
        actor: &Actor,
        request: DataKeyRotation,
        progress: OnProgress<'_>,
    ) -> Result<RotatedDataKeys, DataKeyError> {
        let DataKeyRotation {
            tenant,
            purpose,
            older_than_seconds,
        } = request;
        let selection = &DataKeySelection { tenant, purpose };
        let older_than = older_than_seconds.map(Duration::from_secs);
        let action = Action::DataKeys {
            what: DataKeyAction::Rotate,
            tenant: selection.tenant.as_deref(),
            key: None,
        };
        let query = selection.query(PAGE);
        let query = query.map_err(|error| self.recorder.rejected(actor, action, error))?;
        let rotate = async {
            self.check_tenant(&query).await?;
            let pending = query.clone().in_states([KeyState::Pending]);
            let pending = self.all(&pending).await?.keys;
            let query = query.in_states([KeyState::Primary]);
            let LoadedKeys {
                keys: mut primaries,
                damaged,
                ..
            } = self.all(&query).await?;
            if primaries.is_empty() && damaged.is_empty() {
                return Err(DataKeyError::NothingToRotate);
            }
            let now: SystemTime = self.clock.wall().into();
            let begun = pending.iter().map(StoredKey::created_at);
            let begun = begun.filter(|at| *at + RESUMED_WITHIN > now).min();
            let all = primaries.len();
            let waiting = pending.iter().map(|key| (key.tenant(), key.purpose()));
            let waiting: BTreeSet<_> = waiting.collect();
            primaries.retain(|key| {
                let is_waited_for = waiting.contains(&(key.tenant(), key.purpose()));
                let is_promoted =
                    begun.is_some_and(|begun| key.state_since() >= begun) && !is_waited_for;
                let is_young = older_than.is_some_and(|age| key.age(now) < age);
                !is_promoted && !is_young
            });
            let mut outcome = self.rotate_each(&primaries, progress).await;
            outcome.passed_over = all - primaries.len();
            outcome.resumed_from = begun.and_then(timestamp::known);
            let damaged = damaged.iter();
            let damaged = damaged.map(|key| FailedDataKey::new(key.id, &key.error()));
            outcome.failed.extend(damaged);
            Ok(outcome)
        };
        self.recorder.change(actor, action, rotate).await
    }

    /// Rotates the keys that have sealed for longer than `period`, at most a page of them, unless others
    /// do so at the same time.
    pub(crate) async fn rotate_overdue(
        &self,
        actor: &Actor,
        period: Duration,
    ) -> Result<RotatedDataKeys, DataKeyError> {
        let overdue = self.keys.keyring.overdue(period, PAGE).await?;
        if overdue.is_empty() {
            return Ok(RotatedDataKeys::default());
        }
        let action = Action::DataKeys {
            what: DataKeyAction::Rotate,
            tenant: None,
            key: None,
        };
        let rotate = async { Ok(self.rotate_each(&overdue, &mut |_, _| {}).await) };
        self.recorder.change(actor, action, rotate).await
    }

    async fn rotate_each(
        &self,
        primaries: &[StoredKey],
        progress: OnProgress<'_>,
    ) -> RotatedDataKeys {
        let mut outcome = RotatedDataKeys::default();
        let mut waiting = Vec::new();
        let mut wait = Duration::ZERO;
        let mut shown = Progress::default();
        shown.total = u64::try_from(primaries.len()).unwrap_or(u64::MAX);
        for former in primaries {
            let (tenant, purpose) = (former.tenant(), former.purpose());
            match self.begin_one(former).await {
                Ok(Some(Rotation::Pending { key, ready_in })) => {
                    wait = wait.max(ready_in);
                    waiting.push(Made {
                        tenant: tenant.clone(),
                        purpose: purpose.clone(),
                        former: former.id(),
                        key,
                    });
                }
                Ok(Some(Rotation::Promoted { key, demoted })) => {
                    shown.done += 1;
                    shown.changed += 1;
                    let rotated = RotatedDataKey::new(tenant, purpose, key, demoted);
                    outcome.rotated.push(rotated);
                }
                // Another process was first.
                Ok(_) => {
                    shown.done += 1;
                    shown.skipped += 1;
                    let now = self.keys.keyring.rotate_from(tenant, former.id()).await;
                    if let Ok(Rotation::Promoted { key, demoted }) = now {
                        let rotated = RotatedDataKey::new(tenant, purpose, key, demoted);
                        outcome.by_others.push(rotated);
                    }
                }
                Err(error) => {
                    shown.done += 1;
                    shown.failed += 1;
                    outcome.failed.push(FailedDataKey::new(former.id(), &error));
                }
            }
            progress("new data keys", &shown);
        }
        if !waiting.is_empty() {
            progress("waiting until every process knows the new keys", &shown);
            tokio::time::sleep(wait).await;
        }
        for made in waiting {
            shown.done += 1;
            let Made {
                tenant,
                purpose,
                former,
                key,
            } = &made;
            let rotated = RotatedDataKey::new(tenant, purpose, *key, *former);
            match self.promote_one(&made).await {
                Ok(true) => {
                    shown.changed += 1;
                    outcome.rotated.push(rotated);
                }
                Ok(false) => {
                    shown.skipped += 1;
                    outcome.by_others.push(rotated);
                }
                Err(error) => {
                    shown.failed += 1;
                    outcome.failed.push(FailedDataKey::new(made.former, &error));
                }
            }
            progress("new data keys", &shown);
        }
        outcome
    }

    /// Makes the new key, unless the one to replace has been replaced already.
    async fn begin_one(&self, former: &StoredKey) -> Result<Option<Rotation>, DataKeyError> {
        let now = self.keys.store.load(former.id()).await?;
        if now.is_none_or(|key| key.state() != KeyState::Primary) {
            return Ok(None);
        }
        let keyring = &self.keys.keyring;
        Ok(Some(
            keyring.rotate_from(former.tenant(), former.id()).await?,
        ))
    }

    /// Whether it was this process that did it, and not another one at the same time.
    async fn promote_one(&self, made: &Made) -> Result<bool, DataKeyError> {
        loop {
            match self.keys.keyring.promote(&made.tenant, made.key).await {
                Ok(_) => return Ok(true),
                // By the clock of the store's rows, which may differ.
                Err(RotateError::TooYoung { ready_in }) => tokio::time::sleep(ready_in).await,
                Err(error) => {
                    let now = self.keys.store.load(made.key).await?;
                    return if now.is_some_and(|key| key.state() == KeyState::Primary) {
                        Ok(false)
                    } else {
                        Err(error.into())
                    };
                }
            }
        }
    }
}

impl RotatedDataKey {
    fn new(tenant: &TenantId, purpose: &Purpose, key: KeyId, former: KeyId) -> Self {
        Self {
            tenant: tenant.to_string(),
            purpose: purpose.to_string(),
            key: key.to_string(),
            former: former.to_string(),
        }
    }
}

impl FailedDataKey {
    pub(super) fn new(key: KeyId, error: &dyn std::error::Error) -> Self {
        let mut text = error.to_string();
        if let Some(cause) = error.source() {
            text.push_str(&format!(": {cause}"));
        }
        Self {
            key: key.to_string(),
            error: text,
        }
    }
}

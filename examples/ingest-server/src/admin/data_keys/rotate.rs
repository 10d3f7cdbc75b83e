//! New keys to seal with.

use std::{num::NonZeroU32, time::Duration};

use portcullis_keyring::{
    KeyId, KeyState, Purpose, RotateError, Rotation, TenantId, store::StoredKey, sweep::Progress,
};
use serde::Serialize;

use super::{Action, Actor, DataKeyAction, DataKeyError, DataKeySelection, DataKeys, OnProgress};

/// Which keys seal now, and which did before.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct RotatedDataKeys {
    pub(crate) rotated: Vec<RotatedDataKey>,
    pub(crate) failed: Vec<FailedDataKey>,
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
    /// promotes them. What was begun and not ended is gone on with.
    pub(crate) async fn rotate(
        &self,
        actor: &Actor,
        selection: &DataKeySelection,
        progress: OnProgress<'_>,
    ) -> Result<RotatedDataKeys, DataKeyError> {
        let action = Action::DataKeys {
            what: DataKeyAction::Rotate,
            tenant: selection.tenant.as_deref(),
            key: None,
        };
        let query = selection.query(PAGE);
        let query = query.map_err(|error| self.recorder.rejected(actor, action, error))?;
        let rotate = async {
            let (mut primaries, mut damaged) = (Vec::new(), Vec::new());
            let mut query = query.in_states([KeyState::Primary]);
            loop {
                let page = self.keys.store.list(&query).await?;
                let Some(last) = page.last_id() else { break };
                query = query.after(last);
                primaries.extend(page.keys);
                damaged.extend(page.damaged);
            }
            if primaries.is_empty() && damaged.is_empty() {
                return Err(DataKeyError::NotFound);
            }
            let mut outcome = self.rotate_each(&primaries, progress).await;
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
                    outcome.rotated.push(RotatedDataKey {
                        tenant: tenant.to_string(),
                        purpose: purpose.to_string(),
                        key: key.to_string(),
                        former: demoted.to_string(),
                    });
                }
                // Another process was first.
                Ok(_) => {
                    shown.done += 1;
                    shown.skipped += 1;
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
            match self.promote_one(&made).await {
                Ok(true) => {
                    shown.changed += 1;
                    outcome.rotated.push(RotatedDataKey {
                        tenant: made.tenant.to_string(),
                        purpose: made.purpose.to_string(),
                        key: made.key.to_string(),
                        former: made.former.to_string(),
                    });
                }
                Ok(false) => shown.skipped += 1,
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

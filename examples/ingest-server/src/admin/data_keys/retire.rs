//! The end of a key: it is disabled, waits, and is destroyed, each step only while no row needs it.

use std::time::{Duration, SystemTime};

use portcullis_keyring::{DESTROY_DELAY, KeyState, store::StoredKey};
use portcullis_pii_crypto::reencrypt::{StillNeeded, Verified};
use serde::Serialize;

use super::{Action, Actor, DataKeyAction, DataKeyError, DataKeys, OnProgress, request};
use crate::audit::AUDIT_PURPOSE;

/// Where a key is by now.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RetiredDataKey {
    pub(crate) key: String,
    pub(crate) tenant: String,
    pub(crate) purpose: String,
    pub(crate) state: &'static str,
    /// It was so already, and nothing was done.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unchanged: bool,
    /// In how long it can be destroyed, of one that waits for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ready_in_seconds: Option<u64>,
    /// Of one that is destroyed: whether nothing of it is left in the files of the database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shredded: Option<bool>,
}

impl DataKeys {
    /// Refuses a key from now on, in every process within ten seconds. It can be taken back.
    pub(crate) async fn disable(
        &self,
        actor: &Actor,
        key: &str,
        progress: OnProgress<'_>,
    ) -> Result<RetiredDataKey, DataKeyError> {
        let is_disabled = |state| state == KeyState::Disabled;
        let disable = async |key: &StoredKey| {
            let (tenant, id) = (key.tenant(), key.id());
            let keyring = &self.keys.keyring;
            settled(keyring.verify_from(tenant, id).await?)?;
            self.check_unneeded(key, progress).await?;
            Ok(keyring.disable(tenant, id).await?)
        };
        let what = DataKeyAction::Disable;
        self.retire(actor, what, key, is_disabled, disable).await
    }

    /// Takes a key as far to its destruction as it may go now: one that opens is disabled and begins to
    /// wait, one that has waited long enough is destroyed.
    pub(crate) async fn destroy(
        &self,
        actor: &Actor,
        key: &str,
        progress: OnProgress<'_>,
    ) -> Result<RetiredDataKey, DataKeyError> {
        let is_destroyed = |state| state == KeyState::Destroyed;
        let destroy = async |key: &StoredKey| {
            let (tenant, id) = (key.tenant(), key.id());
            let keyring = &self.keys.keyring;
            match key.state() {
                // Never sealed anything, or says itself that it cannot be.
                KeyState::Pending | KeyState::Primary | KeyState::Destroyed => {
                    return Ok(keyring.destroy(tenant, id).await?);
                }
                KeyState::DestroyScheduled => {
                    settled(self.destroyed_in(key))?;
                    self.check_unneeded(key, progress).await?;
                    return Ok(keyring.destroy(tenant, id).await?);
                }
                KeyState::DecryptOnly => {
                    settled(keyring.verify_from(tenant, id).await?)?;
                    self.check_unneeded(key, progress).await?;
                    keyring.disable(tenant, id).await?;
                }
                KeyState::Disabled => {}
            }
            // Again: what was verified before was another step.
            let key = self.find(id).await?;
            self.check_unneeded(&key, progress).await?;
            Ok(keyring.schedule_destruction(tenant, id).await?)
        };
        let what = DataKeyAction::Destroy;
        let mut retired = self.retire(actor, what, key, is_destroyed, destroy).await?;
        if retired.state == KeyState::Destroyed.as_str() {
            retired.shredded = Some(self.shred(!retired.unchanged).await);
        }
        Ok(retired)
    }

    /// Takes a key back that is disabled, or waits for its destruction.
    pub(crate) async fn restore(
        &self,
        actor: &Actor,
        key: &str,
    ) -> Result<RetiredDataKey, DataKeyError> {
        let restore = async |key: &StoredKey| {
            let keyring = &self.keys.keyring;
            Ok(keyring.restore(key.tenant(), key.id()).await?)
        };
        let what = DataKeyAction::Restore;
        self.retire(actor, what, key, KeyState::opens, restore)
            .await
    }

    /// Takes a step, unless the key `is_there` already: asked again, and where two ask at once, it is no fault that
    /// somebody was first.
    async fn retire(
        &self,
        actor: &Actor,
        what: DataKeyAction,
        key: &str,
        is_there: impl Fn(KeyState) -> bool,
        step: impl AsyncFnOnce(&StoredKey) -> Result<(), DataKeyError>,
    ) -> Result<RetiredDataKey, DataKeyError> {
        let asked = |tenant, key| Action::DataKeys { what, tenant, key };
        let found = async { self.find(request::parse_key("key", key)?).await };
        let key = match found.await {
            Ok(key) => key,
            Err(error) => return Err(self.recorder.rejected(actor, asked(None, None), error)),
        };
        let tenant = key.tenant().to_string();
        let action = asked(Some(&tenant), Some(key.id()));
        let change = async {
            let stepped = if is_there(key.state()) {
                Ok(false)
            } else {
                step(&key).await.map(|()| true)
            };
            let key = self.find(key.id()).await?;
            let unchanged = match stepped {
                Ok(changed) => !changed,
                Err(DataKeyError::Changed | DataKeyError::Illegal(_)) if is_there(key.state()) => {
                    true
                }
                Err(error) => return Err(error),
            };
            let is_waiting = key.state() == KeyState::DestroyScheduled;
            Ok(RetiredDataKey {
                key: key.id().to_string(),
                tenant: tenant.clone(),
                purpose: key.purpose().to_string(),
                state: key.state().as_str(),
                unchanged,
                ready_in_seconds: is_waiting.then(|| self.destroyed_in(&key).as_secs()),
                shredded: None,
            })
        };
        self.recorder.change(actor, action, change).await
    }

    /// How long a key still waits for its destruction.
    fn destroyed_in(&self, key: &StoredKey) -> Duration {
        let now: SystemTime = self.clock.wall().into();
        let ready = key.state_since() + DESTROY_DELAY;
        ready.duration_since(now).unwrap_or_default()
    }

    async fn check_unneeded(
        &self,
        key: &StoredKey,
        progress: OnProgress<'_>,
    ) -> Result<(), DataKeyError> {
        if key.purpose().as_str() == AUDIT_PURPOSE {
            return Err(DataKeyError::NeededByAudit);
        }
        let verified: Verified = self.verified(&[key.id()].into(), progress).await?;
        match verified.frees(key) {
            Ok(()) => {}
            Err(StillNeeded::Rows(rows)) if key.state().opens() => {
                return Err(DataKeyError::RowsLeft { rows });
            }
            Err(StillNeeded::Rows(rows)) => {
                return Err(DataKeyError::RowsRefused {
                    rows,
                    key: key.id(),
                    state: key.state(),
                });
            }
            Err(StillNeeded::TooEarly) => {
                let ready_in = Duration::from_secs(1);
                return Err(DataKeyError::TooSoon { ready_in });
            }
            Err(error) => return Err(DataKeyError::other(error)),
        }
        Ok(())
    }
}

fn settled(ready_in: Duration) -> Result<(), DataKeyError> {
    if ready_in.is_zero() {
        Ok(())
    } else {
        Err(DataKeyError::TooSoon { ready_in })
    }
}

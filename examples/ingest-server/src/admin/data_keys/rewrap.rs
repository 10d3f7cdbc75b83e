//! Data keys under the primary version of the key-encryption key.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Action, Actor, DataKeyAction, DataKeyError, DataKeys, FailedDataKey, OnProgress, SweepPace,
};

/// What came of wrapping all data keys again, and which versions are needed.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RewrappedDataKeys {
    pub(crate) keys: u64,
    pub(crate) rewrapped: u64,
    pub(crate) failed: u64,
    /// The first of those that failed.
    pub(crate) failures: Vec<FailedDataKey>,
    /// How many keys each version wraps: one that is not here can be dropped.
    pub(crate) kek_versions: BTreeMap<String, u64>,
}

impl DataKeys {
    /// Wraps every key again that is not under the primary version. Run again, it goes on.
    pub(crate) async fn rewrap(
        &self,
        actor: &Actor,
        pace: SweepPace,
        progress: OnProgress<'_>,
    ) -> Result<RewrappedDataKeys, DataKeyError> {
        let action = Action::DataKeys {
            what: DataKeyAction::Rewrap,
            tenant: None,
            key: None,
        };
        let rewrap = async {
            let mut report = |done: &_| progress("data keys", done);
            let keyring = &self.keys.keyring;
            let rewrapped = keyring.rewrap_all(pace.into(), &mut report).await?;
            if rewrapped.progress.changed > 0 {
                self.shred(true).await;
            }
            let states = keyring.key_states().await?;
            let versions = states.kek_versions.into_iter();
            let failures = rewrapped.failed.iter();
            Ok(RewrappedDataKeys {
                keys: rewrapped.progress.done,
                rewrapped: rewrapped.progress.changed,
                failed: rewrapped.progress.failed,
                failures: failures
                    .map(|(key, error)| FailedDataKey::new(*key, error))
                    .collect(),
                kek_versions: versions
                    .map(|(version, keys)| (version.unwrap_or_else(|| "unknown".to_owned()), keys))
                    .collect(),
            })
        };
        self.recorder.change(actor, action, rewrap).await
    }
}

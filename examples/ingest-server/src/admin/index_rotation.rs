//! Another root for the blind indexes, phase by phase.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use portcullis_keyring::sweep::Progress;
use portcullis_pii_crypto::{
    IndexRoots, IndexVersion, PiiKinds,
    index_rotation::{IndexRotation, IndexStep, Replaced, RotationError, Stopped},
    reencrypt::{Reencryptor, RowFailure},
};
use serde::{Deserialize, Serialize};

use super::{
    Action, Actor, AdminObserver, DataKeyError, FailedRow, IndexAction, KeyMaterial, OnProgress,
    recorder::Recorder,
};
use crate::{
    config::INDEX_ROOTS,
    lead::UniqueFields,
    store::{AuditLog, SecretCheck, Store},
    timestamp,
};

/// The use cases on the index versions.
#[derive(Debug, Clone)]
pub(crate) struct IndexVersions {
    keys: KeyMaterial,
    store: Arc<dyn Store>,
    recorder: Recorder,
}

/// Which version to rotate to.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IndexRequest {
    /// The primary one of this process unless it is said.
    pub(crate) version: Option<u16>,
}

/// Which versions are live, and which are configured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct IndexStatus {
    pub(crate) live: Vec<LiveIndex>,
    pub(crate) configured: Vec<u32>,
}

/// A live version and its phase.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LiveIndex {
    pub(crate) version: u16,
    pub(crate) phase: &'static str,
    pub(crate) since: String,
    pub(crate) is_configured: bool,
}

/// What came of a rotation.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RotatedIndex {
    pub(crate) version: u16,
    /// `done`; or `stopped`, before the version is enforced: the records below have to be looked at, and the
    /// rotation started again.
    pub(crate) outcome: &'static str,
    /// Records that turn out to be the same.
    pub(crate) duplicates: Vec<FailedRow>,
    /// Records that do not open.
    pub(crate) failures: Vec<FailedRow>,
    /// How many records lack values of the version, those above included.
    pub(crate) left: u64,
    /// How many values there are under one version alone.
    pub(crate) differences: u64,
    /// How many values of the version are not those of their records: it has to be given up and begun again,
    /// which writes all again.
    pub(crate) wrong: u64,
}

/// Of which fields only one lead of a tenant may have a value.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct HeldUnique {
    /// As in the setting.
    pub(crate) fields: String,
}

/// From one look at the phase to the next, while it has to last.
const LOOK_EVERY: Duration = Duration::from_secs(5);

impl IndexVersions {
    pub(super) const fn new(keys: KeyMaterial, store: Arc<dyn Store>, recorder: Recorder) -> Self {
        Self {
            keys,
            store,
            recorder,
        }
    }

    /// For the command line, which has no more than these.
    pub(crate) fn standalone(
        keys: KeyMaterial,
        store: Arc<dyn Store>,
        audit: AuditLog,
        observer: Arc<dyn AdminObserver>,
    ) -> Self {
        Self::new(keys, store, Recorder::new(audit, observer))
    }

    /// Which versions are live, as the database says now.
    pub(crate) async fn status(&self, actor: &Actor) -> Result<IndexStatus, DataKeyError> {
        let action = Action::Index {
            what: IndexAction::Read,
            version: None,
        };
        let read = async {
            let state = self.store.index_state().await?;
            let configured = self.keys.index_roots.configured().check_values();
            let configured: Vec<u32> = configured.keys().map(|it| it.value()).collect();
            let live = state.rows().map(|(version, phase, since)| LiveIndex {
                version: version.value(),
                phase: phase.as_str(),
                since: timestamp::format(timestamp::from_system(since)),
                is_configured: configured.contains(&version.value().into()),
            });
            Ok(IndexStatus {
                live: live.collect(),
                configured,
            })
        };
        self.recorder.read(actor, action, read).await
    }

    /// Takes every step to where a version is the only one, and waits between them: some minutes. It can be
    /// stopped at any moment, and goes on when it is run again, here or in another process.
    pub(crate) async fn rotate(
        &self,
        actor: &Actor,
        request: IndexRequest,
        progress: OnProgress<'_>,
    ) -> Result<RotatedIndex, DataKeyError> {
        let action = |version| Action::Index {
            what: IndexAction::Rotate,
            version,
        };
        let configured = self.keys.index_roots.configured();
        let version = target(request, &configured);
        let version =
            version.map_err(|error| self.recorder.rejected(actor, action(None), error))?;
        let rotate = async {
            self.remember(version, &configured).await?;
            self.take_steps(version, progress).await
        };
        self.recorder
            .change(actor, action(Some(version)), rotate)
            .await
    }

    /// Gives a rotation up whose version is not enforced yet.
    pub(crate) async fn abandon(
        &self,
        actor: &Actor,
        request: IndexRequest,
    ) -> Result<(), DataKeyError> {
        let action = |version| Action::Index {
            what: IndexAction::Abandon,
            version,
        };
        let version = target(request, &self.keys.index_roots.configured());
        let version =
            version.map_err(|error| self.recorder.rejected(actor, action(None), error))?;
        let abandon = async {
            let rotation = self.rotation(&self.keys.index_roots.present()?);
            match rotation.abandon(version).await.map_err(from_rotation)? {
                Replaced::Done => Ok(()),
                Replaced::Changed => Err(DataKeyError::Changed),
            }
        };
        self.recorder
            .change(actor, action(Some(version)), abandon)
            .await
    }

    /// Has the database hold fields unique in place of those that its processes hold. They have to be restarted
    /// with that: one that does not know that a field is unique refuses a second lead with its value as overloaded,
    /// and one that does not know that it is no longer refuses what could be taken.
    pub(crate) async fn hold_unique(
        &self,
        actor: &Actor,
        fields: &UniqueFields,
    ) -> Result<HeldUnique, DataKeyError> {
        let action = Action::Index {
            what: IndexAction::HoldUnique,
            version: None,
        };
        let change = async {
            let changed = self.store.change_unique(fields).await?;
            changed.map_err(|error| DataKeyError::Invalid(error.to_string()))?;
            Ok(HeldUnique {
                fields: fields.to_string(),
            })
        };
        self.recorder.change(actor, action, change).await
    }

    /// Before anything is written with a root, the database knows it from others of the same version: every
    /// process compares its own.
    async fn remember(
        &self,
        version: IndexVersion,
        configured: &IndexRoots,
    ) -> Result<(), DataKeyError> {
        let number = u32::from(version.value());
        let values = configured.check_values();
        let value = values.iter().find(|(it, _)| it.value() == number);
        let Some((_, value)) = value else {
            return Err(not_configured(version));
        };
        let check = SecretCheck {
            secret: INDEX_ROOTS.to_owned(),
            version: number,
            value: value.as_bytes().to_vec(),
        };
        self.store
            .remember_secrets(std::slice::from_ref(&check))
            .await?;
        let is_other = |known: &SecretCheck| {
            known.secret == check.secret && known.version == number && known.value != check.value
        };
        if self.store.secret_checks().await?.iter().any(is_other) {
            return Err(DataKeyError::Invalid(format!(
                "version {version} of the index root is not the one that was used before; give the new root \
                 another version"
            )));
        }
        Ok(())
    }

    async fn take_steps(
        &self,
        version: IndexVersion,
        progress: OnProgress<'_>,
    ) -> Result<RotatedIndex, DataKeyError> {
        let roots = &self.keys.index_roots;
        loop {
            roots.read().await?;
            let rotation = self.rotation(&roots.present()?);
            let at = self.phase(version).await?;
            let mut report = |done: &Progress| progress(&at, done);
            let step: BoxFuture<'_, _> = Box::pin(rotation.step(version, &mut report));
            match step.await.map_err(from_rotation)? {
                IndexStep::Waiting { ready_in } => {
                    let waiting = format!("{at}; waiting until every process knows");
                    progress(&waiting, &Progress::default());
                    tokio::time::sleep(ready_in.min(LOOK_EVERY)).await;
                }
                IndexStep::Done => return Ok(RotatedIndex::new(version, None)),
                IndexStep::Stopped(stopped) => {
                    return Ok(RotatedIndex::new(version, Some(&stopped)));
                }
                _ => {}
            }
        }
    }

    async fn phase(&self, version: IndexVersion) -> Result<String, DataKeyError> {
        let state = self.store.index_state().await?;
        let mut phases = state
            .rows()
            .map(|(version, phase, _)| format!("version {version} {}", phase.as_str()));
        let live = phases.by_ref().collect::<Vec<_>>().join(", ");
        Ok(format!("index to version {version} ({live})"))
    }

    fn rotation(&self, roots: &IndexRoots) -> IndexRotation {
        let KeyMaterial {
            keyring, sweeps, ..
        } = &self.keys;
        IndexRotation::new(
            sweeps.index_states(),
            sweeps.sealed_rows(roots),
            Reencryptor::new(keyring.clone(), PiiKinds::built_in()),
        )
    }
}

impl RotatedIndex {
    fn new(version: IndexVersion, stopped: Option<&Stopped>) -> Self {
        let rows = |rows: &[RowFailure]| rows.iter().map(FailedRow::from).collect();
        Self {
            version: version.value(),
            outcome: if stopped.is_none() { "done" } else { "stopped" },
            duplicates: stopped.map_or_else(Vec::new, |it| rows(&it.duplicates)),
            failures: stopped.map_or_else(Vec::new, |it| rows(&it.failures)),
            left: stopped.map_or(0, |it| it.left),
            differences: stopped.map_or(0, |it| it.differences),
            wrong: stopped.map_or(0, |it| it.wrong),
        }
    }

    /// Whether the version is the only one now.
    pub(crate) fn is_done(&self) -> bool {
        self.outcome == "done"
    }
}

fn target(request: IndexRequest, configured: &IndexRoots) -> Result<IndexVersion, DataKeyError> {
    let Some(number) = request.version else {
        return Ok(configured.enforced_version());
    };
    IndexVersion::try_from(u32::from(number))
        .map_err(|error| DataKeyError::Invalid(error.to_string()))
}

fn not_configured(version: IndexVersion) -> DataKeyError {
    DataKeyError::Invalid(format!(
        "version {version} of the index root is not configured: add it to {INDEX_ROOTS} of every process"
    ))
}

fn from_rotation(error: RotationError) -> DataKeyError {
    match error {
        RotationError::NotStarted | RotationError::Other(_) | RotationError::Illegal(_) => {
            DataKeyError::Conflict(error.to_string())
        }
        RotationError::Sweep(error) => error.into(),
        error => DataKeyError::other(error),
    }
}

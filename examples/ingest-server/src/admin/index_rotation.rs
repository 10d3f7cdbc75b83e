//! Another root for the blind indexes, phase by phase.

mod claim;
mod describe;
mod steps;

use std::sync::Arc;

use portcullis_pii_crypto::{
    IndexPhase, IndexRoots, IndexVersion, PiiKinds,
    index_rotation::{IndexRotation, Replaced, RotationError},
    reencrypt::Reencryptor,
};
use serde::Deserialize;

use self::{claim::Claims, describe::LiveIndex};
use super::{
    Action, Actor, AdminObserver, DataKeyError, IndexAction, KeyMaterial, OnProgress,
    recorder::Recorder,
};
use crate::{
    audit::AuditLog,
    clock::Clock,
    config::INDEX_ROOTS,
    lead::UniqueFields,
    store::{SecretCheck, Store},
    timestamp,
};

pub(crate) use self::{
    claim::RotationUnderWay,
    describe::{HeldUnique, IndexStatus, RotatedIndex},
};

/// The use cases on the index versions.
#[derive(Debug, Clone)]
pub(crate) struct IndexVersions {
    keys: KeyMaterial,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    recorder: Recorder,
}

/// Which version to rotate to.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IndexRequest {
    /// The primary one of this process unless it is said.
    pub(crate) version: Option<u16>,
}

impl IndexVersions {
    pub(super) const fn new(
        keys: KeyMaterial,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        recorder: Recorder,
    ) -> Self {
        Self {
            keys,
            store,
            clock,
            recorder,
        }
    }

    /// For the command line, which has no more than these.
    pub(crate) fn standalone(
        keys: KeyMaterial,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        audit: AuditLog,
        observer: Arc<dyn AdminObserver>,
    ) -> Self {
        Self::new(keys, store, clock, Recorder::new(audit, observer))
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
                since: timestamp::known(since),
                is_configured: configured.contains(&version.value().into()),
            });
            Ok(IndexStatus {
                live: live.collect(),
                configured,
                under_way: self.claims().present().await?,
            })
        };
        self.recorder.read(actor, action, read).await
    }

    /// Whether a rotation can begin or go on in this process, for those who start it in the background: it refuses at
    /// once what [`rotate`](Self::rotate) would end with, and a rotation that somebody is at.
    pub(super) async fn check(
        &self,
        actor: &Actor,
        request: IndexRequest,
    ) -> Result<(), DataKeyError> {
        let version = self.target(actor, IndexAction::Rotate, request)?;
        let check = async {
            if let Some(other) = self.claims().present().await? {
                return Err(DataKeyError::Conflict(format!(
                    "{other}: GET /admin/index says how far it has come"
                )));
            }
            let rotation = self.rotation(&self.keys.index_roots.present()?);
            rotation.check(version).await.map_err(from_rotation)
        };
        let checked: Result<(), DataKeyError> = check.await;
        checked.map_err(|error| {
            let action = rotate_to(version);
            self.recorder.rejected(actor, action, error)
        })
    }

    /// Takes every step to where a version is the only one, and waits between them: some minutes. It can be
    /// stopped at any moment, and goes on when it is run again, here or in another process. While another process is
    /// at the same rotation, it is followed to its end.
    pub(crate) async fn rotate(
        &self,
        actor: &Actor,
        request: IndexRequest,
        progress: OnProgress<'_>,
    ) -> Result<RotatedIndex, DataKeyError> {
        let configured = self.keys.index_roots.configured();
        let version = self.target(actor, IndexAction::Rotate, request)?;
        let rotate = async {
            self.remember(version, &configured).await?;
            self.rotate_or_follow(actor, version, progress).await
        };
        let action = rotate_to(version);
        self.recorder.change(actor, action, rotate).await
    }

    /// Gives a rotation up whose version is not enforced yet: whether there was one.
    pub(crate) async fn abandon(
        &self,
        actor: &Actor,
        request: IndexRequest,
    ) -> Result<bool, DataKeyError> {
        let version = self.target(actor, IndexAction::Abandon, request)?;
        let abandon = async {
            match self.store.index_state().await?.phase(version) {
                Some((IndexPhase::Written, _)) => {}
                None => return Ok(false),
                Some((phase, _)) => {
                    return Err(DataKeyError::Conflict(format!(
                        "version {version} of the index root is {} by now and cannot be given up: rotate to another",
                        phase.as_str()
                    )));
                }
            }
            let rotation = self.rotation(&self.keys.index_roots.present()?);
            match rotation.abandon(version).await.map_err(from_rotation)? {
                Replaced::Done => Ok(true),
                Replaced::Changed => Err(DataKeyError::Conflict(
                    "the phases have changed in the meantime: look at them again".to_owned(),
                )),
            }
        };
        let action = Action::Index {
            what: IndexAction::Abandon,
            version: Some(version),
        };
        self.recorder.change(actor, action, abandon).await
    }

    /// The version that is asked for. It is one that this process has, for a rotation.
    fn target(
        &self,
        actor: &Actor,
        what: IndexAction,
        request: IndexRequest,
    ) -> Result<IndexVersion, DataKeyError> {
        let configured = self.keys.index_roots.configured();
        let Some(number) = request.version else {
            return Ok(configured.enforced_version());
        };
        let numbers: Vec<u32> = configured
            .check_values()
            .keys()
            .map(|it| it.value())
            .collect();
        let version = IndexVersion::try_from(u32::from(number)).ok();
        // One that is written and was taken out since is given up all the same.
        let is_known =
            |_: &IndexVersion| what == IndexAction::Abandon || numbers.contains(&u32::from(number));
        version.filter(is_known).ok_or_else(|| {
            let action = Action::Index {
                what,
                version: None,
            };
            let error = not_configured(number, &numbers);
            self.recorder.rejected(actor, action, error)
        })
    }

    fn claims(&self) -> Claims {
        Claims {
            sweeps: Arc::clone(&self.keys.sweeps),
            clock: Arc::clone(&self.clock),
        }
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
            let numbers: Vec<u32> = values.keys().map(|it| it.value()).collect();
            return Err(not_configured(version.value(), &numbers));
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

const fn rotate_to(version: IndexVersion) -> Action<'static> {
    Action::Index {
        what: IndexAction::Rotate,
        version: Some(version),
    }
}

fn not_configured(number: u16, configured: &[u32]) -> DataKeyError {
    let configured: Vec<String> = configured.iter().map(ToString::to_string).collect();
    DataKeyError::NotConfigured(format!(
        "`version`: {number} of the index root is not configured; configured are {}: add it to {INDEX_ROOTS} of every process",
        configured.join(", ")
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

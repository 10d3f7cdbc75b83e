//! Who keeps checkpoints of the audit log beside it.

mod remote;

use std::{num::NonZeroU32, path::Path, sync::Arc};

use async_trait::async_trait;
use portcullis_audit_log::{
    anchor::{Anchor, AnchorError, FileAnchor, KeepsLater, WitnessAnchor},
    audit::Generation,
    note::{KeyName, NoteSignature, SignedNote},
    store::Store as LogStore,
};
use portcullis_telemetry::BackgroundTask;

use self::remote::{Hurried, InArchive};
use super::{AuditOpenError, archives::LogArchive};
use crate::{
    config::{AnchorPlace, ArchivePlace},
    delivery::connection,
    store::Store,
};

const TASK: BackgroundTask = BackgroundTask::new("audit_anchor");

/// The log whose checkpoints are kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct AnchoredLog<'a> {
    /// What the first log there is called.
    pub(super) base: &'a KeyName,
    /// Which of them it is.
    pub(super) generation: &'a Generation,
    /// The name of its folder.
    pub(super) name: &'a str,
    pub(super) store: &'a Arc<dyn LogStore>,
    pub(super) archive: Option<&'a ArchivePlace>,
}

impl AnchoredLog<'_> {
    /// The one that keeps its checkpoints at a place.
    ///
    /// # Errors
    /// [`AuditOpenError`] if there can be none.
    pub(super) fn at(
        self,
        place: &AnchorPlace,
        database: &Arc<dyn Store>,
    ) -> Result<Arc<dyn Anchor>, AuditOpenError> {
        let in_database = |key: String| DatabaseAnchor {
            store: Arc::clone(database),
            key,
        };
        Ok(match place {
            AnchorPlace::Database => Arc::new(in_database(self.base.to_string())),
            AnchorPlace::Folder(folder) => Arc::new(in_folder(place, folder, self.base)),
            AnchorPlace::Witness(witness) => {
                // No name of a log has a space in it.
                let memory = in_database(format!("{} {}", self.base, witness.name));
                let origin = self.generation.origin(self.base)?;
                let anchor = WitnessAnchor::new(
                    origin,
                    Arc::clone(self.store),
                    Arc::new(memory),
                    witness.keys.clone(),
                    connection(witness)?,
                )?;
                Arc::new(Hurried(match &witness.monitoring {
                    Some(prefix) => anchor.monitoring(prefix.clone()),
                    None => anchor,
                }))
            }
            AnchorPlace::Archive => {
                let place = self.archive.ok_or(AuditOpenError::NoArchive)?;
                let archive = LogArchive::new(place, self.name, NonZeroU32::MIN);
                Arc::new(Hurried(InArchive::new(archive, self.base.clone())))
            }
        })
    }
}

fn in_folder(place: &AnchorPlace, folder: &Path, origin: &KeyName) -> FileAnchor {
    let path = folder.join(AnchorPlace::file_name(origin));
    FileAnchor::new(place.to_string(), path)
}

/// A row in the database of the service.
#[derive(Debug)]
struct DatabaseAnchor {
    store: Arc<dyn Store>,
    /// The name of the log, and of the witness whose signature is remembered.
    key: String,
}

#[async_trait]
impl Anchor for DatabaseAnchor {
    fn name(&self) -> &str {
        "database"
    }

    async fn latest(&self) -> Result<Option<SignedNote>, AnchorError> {
        let kept = TASK.run(self.store.audit_anchor(&self.key)).await;
        let kept = kept.map_err(AnchorError::new)?;
        kept.map(|text| SignedNote::parse(text.as_bytes()).map_err(AnchorError::new))
            .transpose()
    }

    async fn keep(&self, checkpoint: &SignedNote) -> Result<Vec<NoteSignature>, AnchorError> {
        let text = checkpoint.to_string();
        loop {
            let kept = TASK.run(self.store.audit_anchor(&self.key)).await;
            let kept = kept.map_err(AnchorError::new)?;
            if let Some(kept) = &kept {
                let kept = SignedNote::parse(kept.as_bytes()).map_err(AnchorError::new)?;
                KeepsLater::check(&kept, checkpoint).map_err(AnchorError::new)?;
            }
            let replacing = self
                .store
                .replace_audit_anchor(&self.key, kept.as_deref(), &text);
            // Another process may have been there in between.
            if TASK.run(replacing).await.map_err(AnchorError::new)? {
                return Ok(Vec::new());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use portcullis_audit_log::{
        audit::{Audit, OpenError},
        event::Id,
        note::SigningKey,
        store::MemoryStore,
    };
    use secrecy::SecretBox;
    use tempfile::TempDir;

    use super::*;
    use crate::backend::empty_store;

    /// Those that need nobody else.
    fn places(elsewhere: &TempDir) -> [AnchorPlace; 2] {
        [
            AnchorPlace::Database,
            AnchorPlace::Folder(elsewhere.path().to_owned()),
        ]
    }

    /// That of the log of this name, which asks it for nothing.
    fn anchor(origin: &str, place: &AnchorPlace, database: &Arc<dyn Store>) -> Arc<dyn Anchor> {
        let log: Arc<dyn LogStore> = Arc::new(MemoryStore::new());
        let anchored = AnchoredLog {
            base: &origin.parse().unwrap(),
            generation: &Generation::FIRST,
            name: "server",
            store: &log,
            archive: None,
        };
        anchored.at(place, database).unwrap()
    }

    /// Opens an empty log of that name, and gives its size once it is closed.
    async fn opened(origin: &str, anchor: Arc<dyn Anchor>) -> Result<u64, OpenError> {
        opened_again(&Arc::new(MemoryStore::new()), origin, anchor).await
    }

    async fn opened_again(
        log: &Arc<MemoryStore>,
        origin: &str,
        anchor: Arc<dyn Anchor>,
    ) -> Result<u64, OpenError> {
        let origin: KeyName = origin.parse().unwrap();
        let seed = SecretBox::new(Box::new([7; 32]));
        let key = SigningKey::from_seed(origin.clone(), &seed).unwrap();
        let builder = Audit::builder(Arc::clone(log) as _, origin, Id::constant("a"));
        let (audit, writing) = builder.key(key).anchor(anchor).open().await?;
        audit.close();
        writing.await;
        Ok(audit.status().size)
    }

    #[tokio::test]
    async fn a_log_that_is_gone_is_missed_by_each_place_and_another_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = empty_store(folder.path()).await;
        let elsewhere = tempfile::tempdir().unwrap();
        for place in places(&elsewhere) {
            let anchor = |origin: &str| anchor(origin, &place, &store);
            let size = opened("one", anchor("one")).await.unwrap();
            let error = opened("one", anchor("one")).await.unwrap_err();
            let OpenError::RolledBack(found) = error else {
                panic!("{error}");
            };
            assert_eq!(found.anchor, place.to_string());
            assert_eq!((found.had, found.have), (size, 0));
            opened("one/other", anchor("one/other")).await.unwrap();
        }
    }

    #[tokio::test]
    async fn no_place_goes_back_to_a_smaller_log() {
        let folder = tempfile::tempdir().unwrap();
        let store = empty_store(folder.path()).await;
        let elsewhere = tempfile::tempdir().unwrap();
        for place in places(&elsewhere) {
            let log = Arc::new(MemoryStore::new());
            let anchor = anchor("one", &place, &store);
            let mut kept = Vec::new();
            for _ in 0..2 {
                opened_again(&log, "one", Arc::clone(&anchor))
                    .await
                    .unwrap();
                kept.push(anchor.latest().await.unwrap().unwrap());
            }
            let refused = anchor.keep(&kept[0]).await.unwrap_err();
            assert!(refused.is_later(), "{place}: {refused}");
            anchor.keep(&kept[1]).await.unwrap();
            let latest = anchor.latest().await.unwrap().unwrap();
            assert_eq!(latest.to_string(), kept[1].to_string());
        }
    }
}

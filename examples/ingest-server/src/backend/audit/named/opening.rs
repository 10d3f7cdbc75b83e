//! Logs that are opened to be changed.

use std::{num::NonZeroU32, path::Path, sync::Arc};

use portcullis_audit_log::{
    anchor::Anchor,
    audit::{Audit, Generation},
    clock::Clock as LogClock,
    note::KeyName,
    store::Store as LogStore,
};

use super::{
    super::{
        AuditClock, AuditNode, AuditOpenError, anchors::AnchoredLog, keys::signing_keys, slot::Slot,
    },
    NamedLogError, NamedLogs, database_failed, files_failed,
};
use crate::{
    audit::{CurrentLog, DATABASE, EarlierLogError, KeptLog, KeyringSealer, LockFile, log_name},
    backend::Backend,
    clock::Clock,
};

/// A log that is open to be changed, and what writes the latest there is, for the caller to spawn.
pub(crate) struct OpenedLog<F> {
    pub(crate) kept: KeptLog,
    pub(crate) written: Option<(Audit, F)>,
}

impl NamedLogs {
    /// The log in the folder of that name, to be changed: its process must have ended, unless many write it, or it is one
    /// that the latest has followed.
    pub(crate) async fn open(
        &self,
        backend: &Backend,
        name: &str,
        number: Option<NonZeroU32>,
        clock: &Arc<dyn Clock>,
    ) -> Result<OpenedLog<impl Future<Output = ()> + Send + 'static>, NamedLogError> {
        let folder = self.existing(name)?;
        if let Some(earlier) = self.earlier(&self.current(name)?, number)? {
            let kept = earlier.open().await.map_err(|error| match error {
                EarlierLogError::Files(error) => files_failed(&folder, name, error),
                EarlierLogError::Database(error) => database_failed(folder.clone(), error),
            })?;
            return Ok(OpenedLog {
                kept,
                written: None,
            });
        }
        let log_clock: Arc<dyn LogClock> = Arc::new(AuditClock(Arc::clone(clock)));
        let taken = self.taken(&folder, name, &log_clock).await?;
        let (current, kept, node, held) = taken;
        let origin = self.origin_in(&current, name)?;
        let sealer = KeyringSealer::new(backend.keyring.clone(), Arc::clone(&backend.data_keys));
        let mut builder = Audit::builder(kept.store(), origin.clone(), log_name(&node))
            .generation(current.generation().clone())
            .sealer(Arc::new(sealer))
            .clock(log_clock);
        for key in signing_keys(&origin, &self.secrets).map_err(AuditOpenError::from)? {
            builder = builder.key(key);
        }
        // What is done to a log that was put back is undone with it.
        let generation = current.generation();
        for anchor in self.anchors(backend, name, &origin, generation, &kept.store())? {
            builder = builder.anchor(anchor);
        }
        let opened = builder.open().await;
        let (audit, writing) = opened
            .map_err(|error| AuditOpenError::of_log(current.folder(), name.to_owned(), error))?;
        let run = async move {
            writing.await;
            drop(held);
        };
        Ok(OpenedLog {
            kept,
            written: Some((audit, run)),
        })
    }

    /// A log, and what this command is called there.
    async fn taken(
        &self,
        folder: &Path,
        name: &str,
        clock: &Arc<dyn LogClock>,
    ) -> Result<(CurrentLog, KeptLog, String, Option<LockFile>), NamedLogError> {
        if name == DATABASE {
            let slot = Slot::of_shared_log(&self.folder, AuditNode::CommandLine).await?;
            return Ok((slot.current, slot.kept, slot.node, slot.name));
        }
        let opened = CurrentLog::open(folder, clock).await;
        let (current, store) = opened.map_err(|error| files_failed(folder, name, error))?;
        let kept = KeptLog::Files(Arc::new(store));
        Ok((current, kept, name.to_owned(), None))
    }

    /// Who keeps checkpoints of the log of that name.
    pub(in super::super) fn anchors(
        &self,
        backend: &Backend,
        name: &str,
        base: &KeyName,
        generation: &Generation,
        store: &Arc<dyn LogStore>,
    ) -> Result<Vec<Arc<dyn Anchor>>, AuditOpenError> {
        let anchored = AnchoredLog {
            base,
            generation,
            name,
            store,
            archive: self.archive.as_ref(),
        };
        let places = AuditNode::of_log(name).anchors(&self.anchors);
        places
            .map(|place| anchored.at(place, &backend.store))
            .collect()
    }
}

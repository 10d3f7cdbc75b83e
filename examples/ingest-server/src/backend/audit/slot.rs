//! The folder of a process.

use std::{path::Path, sync::Arc};

use portcullis_audit_log::{
    clock::Clock as LogClock,
    store::{FileStore, FileStoreError},
};

use super::{AuditNode, AuditOpenError};
use crate::{audit::CurrentLog, files};

/// So many processes of one kind can have a log each on one machine.
pub(super) const MAX_SLOTS: u32 = 64;

/// The folder of this process, which no other has.
pub(super) struct Slot {
    pub(super) number: u32,
    pub(super) current: CurrentLog,
    pub(super) store: FileStore,
}

impl Slot {
    /// Takes the folder of that number, unless another process has it.
    pub(super) async fn take(
        all: &Path,
        node: AuditNode,
        number: u32,
        clock: &Arc<dyn LogClock>,
    ) -> Result<Option<Self>, AuditOpenError> {
        files::create_folder(all).map_err(|error| AuditOpenError::Folder {
            folder: all.to_owned(),
            kind: error.kind(),
        })?;
        let name = node.name(number);
        let folder = all.join(&name);
        match CurrentLog::open(&folder, clock).await {
            Ok((current, store)) => Ok(Some(Self {
                number,
                current,
                store,
            })),
            Err(FileStoreError::InUse { .. }) => Ok(None),
            Err(error) => Err(AuditOpenError::of_store(folder, name, error)),
        }
    }
}

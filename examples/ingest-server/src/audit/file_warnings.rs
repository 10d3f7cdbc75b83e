//! What happens to the files of a log, in the log of the service.

use std::error::Error;

use portcullis_audit_log::store::{FileEvent, FileObserver};

/// Tells of what somebody has to look into.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileWarnings;

impl FileObserver for FileWarnings {
    fn observe(&self, event: &FileEvent<'_>) {
        match event {
            FileEvent::JournalMoved => tracing::warn!(
                "the journal of the audit log was deleted, moved or cut by somebody else: find out who did"
            ),
            FileEvent::JournalDamaged { first } => tracing::warn!(
                first,
                "the journal of the audit log was overwritten by somebody else: find out who did"
            ),
            FileEvent::JournalReopened { restored } => tracing::warn!(
                restored,
                "the journal of the audit log is whole again: what it lacked is written from memory"
            ),
            FileEvent::JournalFailed { error } => tracing::error!(
                error = *error as &dyn Error,
                "the journal of the audit log cannot be written"
            ),
            FileEvent::UpkeepFailed { error } => tracing::warn!(
                error = *error as &dyn Error,
                "bundles of the audit log cannot be written, which is tried again each second"
            ),
            FileEvent::TornTailCut { bytes } => tracing::info!(
                bytes,
                "what the audit log was writing when its process ended was cut off: nobody was told that it is there"
            ),
            FileEvent::IndexRebuilt { rows } => {
                tracing::info!(rows, "rows of the index of the audit log were made again");
            }
            _ => {}
        }
    }
}

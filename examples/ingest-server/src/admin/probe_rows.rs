//! What the probe wrote is deleted when it is no longer asked for.

use std::{sync::Arc, time::Duration};

use portcullis_keyring::TenantId;

use super::{Action, Actor, DataKeyError, recorder::Recorder};
use crate::{
    clock::Clock,
    store::{Store, StoreError},
};

/// The use case of deleting what the probe wrote.
#[derive(Debug, Clone)]
pub(crate) struct ProbeRows {
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) recorder: Recorder,
}

/// The source of the events that the probe sends.
pub(crate) const PROBE_SOURCE: &str = "probe";

/// Why rows are still there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProbeRowsError {
    #[error(
        "INGEST_PROBE_TENANT names a tenant that has events of another source than `{PROBE_SOURCE}`: nothing of it is \
         deleted"
    )]
    Others,
    #[error(transparent)]
    Recorded(#[from] DataKeyError),
}

impl From<StoreError> for ProbeRowsError {
    fn from(error: StoreError) -> Self {
        Self::Recorded(error.into())
    }
}

/// A round of the probe is over by then, and so is any commit of what was decided before.
const ASKED_FOR: Duration = Duration::from_secs(60);

impl ProbeRows {
    /// Deletes the events and leads of the probe that are older than a minute; how many there were. What it began
    /// with is on record, and nothing where there is nothing.
    ///
    /// # Errors
    /// Somebody else sends for that tenant, or the rows cannot be deleted now.
    pub(crate) async fn delete(
        &self,
        actor: &Actor,
        tenant: &TenantId,
    ) -> Result<usize, ProbeRowsError> {
        let before = self.clock.wall() - ASKED_FOR;
        let mut deleted = 0;
        loop {
            let found = self.store.find_old_rows(tenant, PROBE_SOURCE, before);
            let found = found.await?.ok_or(ProbeRowsError::Others)?;
            let rows = found.count();
            if rows == 0 {
                return Ok(deleted);
            }
            let action = Action::DeleteProbeRows {
                tenant: tenant.as_str(),
            };
            let delete =
                async { Ok::<_, DataKeyError>(self.store.delete_old_rows(tenant, found).await?) };
            self.recorder.change(actor, action, delete).await?;
            deleted += rows;
        }
    }
}

//! A log that is closed is put in its place.

use std::time::Duration;

use portcullis_audit_log::store::StoreError;
use tokio::time::timeout;

use crate::audit::KeptLog;

/// How long a log that is closed takes to be put in its place at most.
pub(crate) const KEPT_CLOSE: Duration = Duration::from_secs(1);

/// A log is closed and not in its place: the next start puts it there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotInPlace {
    #[error(transparent)]
    Failed(#[from] StoreError),
    #[error("it was not in time")]
    Late,
}

pub(super) async fn put_in_place(kept: &KeptLog) -> Result<(), NotInPlace> {
    let closed = timeout(KEPT_CLOSE, kept.close()).await;
    closed
        .map_err(|_| NotInPlace::Late)?
        .map_err(NotInPlace::Failed)
}

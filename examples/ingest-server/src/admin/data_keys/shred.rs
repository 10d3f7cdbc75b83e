//! What the files of the database still have of a data key that was destroyed, or of the form in which it was wrapped.

use super::DataKeys;
use crate::store::StoreError;

impl DataKeys {
    /// Overwrites it now; `false` if it is left to the service, which tries again. What was done to the key stays
    /// done.
    pub(super) async fn shred(&self, is_new: bool) -> bool {
        match self.shred_owed(is_new).await {
            Ok(is_shredded) => is_shredded,
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(
                    error,
                    "former bytes of data keys may still stand in the files of the database; the service tries to \
                     overwrite them again"
                );
                false
            }
        }
    }

    async fn shred_owed(&self, is_new: bool) -> Result<bool, StoreError> {
        let sweeps = &self.keys.sweeps;
        if is_new {
            sweeps.owe_shredding().await?;
        }
        if sweeps.owes_shredding().await? {
            sweeps.shred().await
        } else {
            Ok(true)
        }
    }
}

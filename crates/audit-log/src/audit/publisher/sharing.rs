//! What other processes have done to the log.

use super::{Publisher, published_size};
use crate::{audit::shared::Published, store::StoreError};

impl Publisher {
    /// What other processes have published and appended.
    pub(super) async fn look_at_others(&self) -> Result<(), StoreError> {
        self.take_over_published().await?;
        if self.store.size().await? > self.shared.tree.borrow().size() {
            let taken = self.store.lock(&[]).await?;
            self.shared.has_grown(taken.state().edge());
        }
        Ok(())
    }

    /// The checkpoint in the store, if another process has published it.
    async fn take_over_published(&self) -> Result<(), StoreError> {
        let Some(note) = self.store.checkpoint().await? else {
            return Ok(());
        };
        let checkpoint = self.identity.verify(&note).map_err(StoreError::damaged)?;
        let size = checkpoint.size();
        if size > published_size(&self.shared) {
            let published = Published { size, note };
            self.shared.published.send_replace(Some(published));
        }
        Ok(())
    }

    /// Of two that publish at once, the one with the larger tree wins, and has what the other has.
    pub(super) async fn is_overtaken_or_failed(&self, size: u64, error: &StoreError) {
        let is_overtaken = matches!(error, StoreError::OtherTree)
            && self.stored(self.take_over_published()).await.is_ok()
            && published_size(&self.shared) > size;
        if !is_overtaken {
            self.tell_store_failed(error);
        }
    }
}

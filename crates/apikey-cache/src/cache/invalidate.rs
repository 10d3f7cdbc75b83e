//! Has what is cached read again, though no record is known to have changed.

use super::{ApiKeyCache, manage::ManageError};
use crate::{
    feed::{ChangeKind, Invalidation},
    tenant::TenantId,
};

impl ApiKeyCache {
    /// Drops what is cached, here and in every process that reads the change feed, and cuts off loads in
    /// flight: for records that were changed past the store, such as in a restored table. Once this returns,
    /// this process reads them again; the others do so as soon as they are told of it.
    ///
    /// A store whose reads lag behind its writes may still give records as they were. Without a change feed
    /// there is nobody to be told, and nothing is cached.
    ///
    /// # Errors
    ///
    /// [`ManageError::Store`]: it was dropped here, and other processes may not be told of it.
    pub async fn invalidate(&self, what: &Invalidation) -> Result<(), ManageError> {
        let shared = &self.shared;
        let appended = match &shared.feed {
            Some(feed) => Some(feed.invalidate(what, shared.wall()).await),
            None => None,
        };
        match appended {
            Some(Ok(change)) => {
                shared.announce(&[change]).await;
                Ok(())
            }
            failed_or_none => {
                // To drop too much harms nobody.
                shared.apply(&ChangeKind::Invalidation(what.clone()));
                failed_or_none.map_or(Ok(()), |failed| Ok(failed.map(drop)?))
            }
        }
    }

    /// The same for the keys of one tenant.
    ///
    /// # Errors
    ///
    /// As [`invalidate`](Self::invalidate).
    pub async fn invalidate_tenant(&self, tenant: &TenantId) -> Result<(), ManageError> {
        self.invalidate(&Invalidation::Tenant(tenant.clone())).await
    }
}

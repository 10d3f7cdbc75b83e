//! What people typed is erased: by its event, or of an actor, a resource or a tenant.

use std::sync::Arc;

use super::{
    Audit, Ending, Unrecorded,
    own_events::{self, ERASED},
};
use crate::{
    event::{Code, Id, Leaf, Resource, ResourceType},
    search::{Filter, PageSize, Query, Term, TermKind},
    store::{Store, StoreError},
};

/// Whose personal parts are erased.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Erasure {
    /// That of one event, by its index in the tree.
    Event(u64),
    /// Those of an actor.
    Actor(Id),
    /// Those of every event that concerned a resource.
    Resource(Id),
    /// Those of a tenant.
    Tenant(Id),
}

/// Why personal parts are not erased.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EraseError {
    /// It could not be put on record, and nothing was erased.
    #[error(transparent)]
    Unrecorded(#[from] Unrecorded),
    /// The store failed; some may be erased. It may be tried again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

const FAILED: Code = Code::new("store");

impl Audit {
    /// Erases personal parts, and gives how many there were. Leaves, tree and proofs stay as they were; what is
    /// committed to can never be shown again. It is on record as `audit.erased`, before and after.
    ///
    /// # Errors
    /// [`EraseError`].
    pub async fn erase(&self, whose: &Erasure) -> Result<u64, EraseError> {
        self.erase_with(whose, &[]).await
    }

    /// The same, and in others that nobody writes any more, as those that this one has followed: an event is that of this
    /// log. One that fails keeps nothing in the others.
    ///
    /// # Errors
    /// [`EraseError`]; some may be erased.
    pub async fn erase_with(
        &self,
        whose: &Erasure,
        others: &[Arc<dyn Store>],
    ) -> Result<u64, EraseError> {
        let draft = own_events::draft(&self.shared, Id::SYSTEM_TENANT, ERASED);
        let begun = self
            .begin(draft.resources([whose.resource()]), None)
            .await?;
        match self.erase_all(whose, others).await {
            Ok(erased) => {
                let begun = begun.amend(|draft| draft.own_count(erased));
                begun.finish(Ending::Success).await?;
                Ok(erased)
            }
            Err(error) => {
                // The intent is on record in any case.
                let _ = begun.finish(Ending::Failure(FAILED)).await;
                Err(error.into())
            }
        }
    }

    async fn erase_all(
        &self,
        whose: &Erasure,
        others: &[Arc<dyn Store>],
    ) -> Result<u64, StoreError> {
        let (mut erased, mut failed) = (whose.erase_in(&*self.store).await?, Ok(()));
        if !matches!(whose, Erasure::Event(_)) {
            for store in others {
                match whose.erase_in(&**store).await {
                    Ok(there) => erased += there,
                    Err(error) => failed = failed.and(Err(error)),
                }
            }
        }
        failed.map(|()| erased)
    }
}

impl Erasure {
    /// Erases in a log that nobody writes any more, and gives how many parts there were. That it was done is for the
    /// caller to record.
    ///
    /// # Errors
    /// [`StoreError`]; some may be erased.
    pub async fn erase_in(&self, store: &dyn Store) -> Result<u64, StoreError> {
        let filter = match self {
            Self::Event(n) => return store.erase(&[*n]).await,
            Self::Actor(id) => Filter::of(Term::of_id(TermKind::Actor, id)),
            Self::Resource(id) => Filter::of(Term::of_id(TermKind::Resource, id)),
            Self::Tenant(id) => Filter::of(Term::of_id(TermKind::Tenant, id)),
        };
        let most = PageSize::new(PageSize::MAX).unwrap_or_default();
        let mut query = Query::new(filter, most);
        let mut erased = 0;
        loop {
            let page = store.search(&query).await?;
            let mut leaves = Vec::new();
            for event in &page.events {
                let leaf = Leaf::parse(&event.leaf).map_err(StoreError::damaged)?;
                leaves.extend(leaf.personal().map(|_| event.n));
            }
            if !leaves.is_empty() {
                erased += store.erase(&leaves).await?;
            }
            match page.next {
                Some(next) => query = query.after(next),
                None => return Ok(erased),
            }
        }
    }

    /// What the log says that was erased.
    fn resource(&self) -> Resource {
        match self {
            Self::Event(n) => Resource::new(ResourceType::new("event"), Id::of_leaf_index(*n)),
            Self::Actor(id) => Resource::new(ResourceType::new("actor"), id.clone()),
            Self::Resource(id) => Resource::new(ResourceType::new("resource"), id.clone()),
            Self::Tenant(id) => Resource::new(ResourceType::new("tenant"), id.clone()),
        }
    }
}

//! Accepting that a log is not the one that its anchors know.

use std::num::NonZeroU32;

use super::{
    AcceptedRollback, AuditBuilder, Generation, LogTree, OpenError, opening::Compared,
    publisher::in_time,
};
use crate::{anchor::AnchorError, store::StoreError};

/// Why a rollback is not accepted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// The log is what its anchors know.
    #[error("no anchor knows another log than the one that is there: it is opened as it is")]
    NothingToAccept,
    /// Somebody may know more, and would refuse the next log too.
    #[error(
        "anchor `{anchor}` does not answer; try again when it does, or take it out of the configuration"
    )]
    Anchor {
        /// What the anchor is called.
        anchor: String,
        /// What it says.
        source: AnchorError,
    },
    /// The log cannot be compared.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl From<StoreError> for AcceptError {
    fn from(error: StoreError) -> Self {
        Self::Open(error.into())
    }
}

impl AuditBuilder {
    /// Accepts that an anchor knows another log than the one that is there, which an operator has looked into: gives the
    /// log that is to be written from then on, with an origin that no anchor has seen. Nothing is changed by it: what it
    /// gives is to be kept, as by [`FileGenerations`](crate::store::FileGenerations), and the next
    /// [`open`](Self::open) is to be of a store of its own with that [`generation`](Self::generation). The first event
    /// there is `audit.rollback_accepted`. The log that is there stays as it is, and is verified under its own origin.
    ///
    /// Of a store that does not open, since its tail was cut, an empty one tells as much, with what it has published for
    /// an anchor.
    ///
    /// # Errors
    /// [`AcceptError`], also if an anchor does not answer.
    pub async fn accept_rollback(self) -> Result<Generation, AcceptError> {
        let identity = self.identity()?;
        let store = self.store();
        let edge = store.lock(&[]).await?.state().edge().clone();
        let mut contradictions = Vec::new();
        let mut highest = identity.generation;
        for anchor in self.anchors() {
            let known = in_time(anchor.latest()).await;
            let known = known.map_err(|source| AcceptError::Anchor {
                anchor: anchor.name().to_owned(),
                source,
            })?;
            let Some(known) = known else {
                continue;
            };
            if let Ok(Some(tree)) = identity.known(&known) {
                highest = highest.max(tree.generation);
            }
            match identity.compare(&**store, &**anchor, &known).await? {
                Compared::NothingMore { .. } => {}
                Compared::Contradicted(found) => contradictions.push(found.known),
                Compared::UnknownKey(unknown) => {
                    return Err(AcceptError::Anchor {
                        anchor: anchor.name().to_owned(),
                        source: AnchorError::new(unknown),
                    });
                }
            }
        }
        let largest = |tree: &LogTree| (tree.generation, tree.size);
        let known = contradictions.into_iter().max_by_key(largest);
        let known = known.ok_or(AcceptError::NothingToAccept)?;
        let kept = LogTree::new(identity.generation, edge.size(), edge.root());
        let above: NonZeroU32 = highest.saturating_add(1);
        let next = Generation::after(AcceptedRollback { known, kept }, above);
        // An origin that has no room for a number is known now, and not at the next start.
        next.origin(identity.base()).map_err(OpenError::from)?;
        Ok(next)
    }
}

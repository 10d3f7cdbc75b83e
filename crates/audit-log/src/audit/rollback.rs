//! Accepting that a log is not the one that its anchors know.

use std::num::NonZeroU32;

use super::{
    AcceptedFor, AcceptedRollback, AuditBuilder, Generation, LogTree, OpenError,
    opening::{Compared, Identity},
    publisher::in_time,
};
use crate::{
    anchor::{Anchor, AnchorError},
    note::SignedNote,
    store::StoreError,
};

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

impl AcceptError {
    /// Whether it is since what is there is no whole log, or one whose checkpoint no known key has signed:
    /// [`AuditBuilder::accept_damage`] is for that.
    #[must_use]
    pub const fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Open(OpenError::Store(StoreError::Damaged(_)) | OpenError::UnknownKey(_))
        )
    }

    fn anchor(anchor: &dyn Anchor, source: AnchorError) -> Self {
        let anchor = anchor.name().to_owned();
        Self::Anchor { anchor, source }
    }
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
    /// # Errors
    /// [`AcceptError`], also if an anchor does not answer. What [`open`](Self::open) would find damaged, or signed by no
    /// key that was given, is so here too ([`is_damage`](AcceptError::is_damage)), and to be accepted by
    /// [`accept_damage`](Self::accept_damage).
    pub async fn accept_rollback(self) -> Result<Generation, AcceptError> {
        let identity = self.identity()?;
        let store = self.store();
        let edge = store.lock(&[]).await?.state().edge().clone();
        identity.published(&**store).await?;
        let mut contradictions = Vec::new();
        let mut highest = identity.generation;
        for anchor in self.anchors() {
            let Some(known) = known_to(&**anchor).await? else {
                continue;
            };
            let said = identity.said(&known);
            highest = said.map_or(highest, |tree| highest.max(tree.generation));
            match identity.compare(&**store, &**anchor, &known).await? {
                // The log is opened beside that.
                Compared::NothingMore(_) | Compared::UnknownKey(_) => {}
                Compared::Contradicted(found) => contradictions.push(found.known),
                // That it has more is known, and not what.
                Compared::Unverifiable(_) => contradictions.extend(said),
            }
        }
        // What a start reads as well.
        self.look_for_damage().await?;
        let known = contradictions.into_iter().max_by_key(LogTree::order);
        let known = known.ok_or(AcceptError::NothingToAccept)?;
        let kept = LogTree::new(identity.generation, edge.size(), edge.root());
        let cause = AcceptedFor::Rollback;
        following(&identity, AcceptedRollback { known, kept, cause }, highest)
    }

    /// Accepts that a log is damaged, or cut, or that the key is lost by which its checkpoint is signed, so that it does
    /// not open: gives the log that is to be written from then on, as [`accept_rollback`](Self::accept_rollback) does.
    /// The store is not looked at. What there was is told by the checkpoint that it has `published`, and by the anchors,
    /// as far as that is signed by a key of the log.
    ///
    /// # Errors
    /// [`AcceptError`], also if an anchor does not answer.
    pub async fn accept_damage(
        self,
        published: Option<&SignedNote>,
    ) -> Result<Generation, AcceptError> {
        let identity = self.identity()?;
        let published = published.and_then(|note| identity.known(note).ok().flatten());
        let kept = published.filter(|tree| tree.generation == identity.generation);
        let kept = kept.unwrap_or_else(|| LogTree::unknown(identity.generation));
        let mut trees = vec![kept];
        for anchor in self.anchors() {
            let Some(note) = known_to(&**anchor).await? else {
                continue;
            };
            trees.extend(identity.said(&note));
        }
        let highest = trees.iter().map(|tree| tree.generation).max();
        let highest = highest.unwrap_or(identity.generation);
        let known = trees.into_iter().max_by_key(LogTree::order).unwrap_or(kept);
        let cause = AcceptedFor::Damage;
        following(&identity, AcceptedRollback { known, kept, cause }, highest)
    }
}

async fn known_to(anchor: &dyn Anchor) -> Result<Option<SignedNote>, AcceptError> {
    let known = in_time(anchor.latest()).await;
    known.map_err(|source| AcceptError::anchor(anchor, source))
}

/// The log that follows, above the highest that anybody knows.
fn following(
    identity: &Identity,
    accepted: AcceptedRollback,
    highest: NonZeroU32,
) -> Result<Generation, AcceptError> {
    let next = Generation::after(accepted, highest.saturating_add(1));
    // An origin that has no room for a number is known now, and not at the next start.
    next.origin(identity.base()).map_err(OpenError::from)?;
    Ok(next)
}

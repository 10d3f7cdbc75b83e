//! What is looked at before a log is written to.

use std::{
    cmp::Ordering,
    num::{NonZeroU32, NonZeroUsize},
};

use super::{
    LogTree, OpenError, RolledBack, UnknownKey, Unverifiable,
    generation::{number_of, origin_of},
    shared::Published,
};
use crate::{
    anchor::Anchor,
    checkpoint::{Checkpoint, CheckpointError},
    note::{InvalidKeyName, KeyName, SignedNote, UnverifiedNote, VerifyingKey},
    store::{Store, StoreError},
    tile::{EntryBundle, HashTile, TileKind, TilePath, WIDTH},
    tree::{RightEdge, TreeHash},
};

/// How much of a log is read at once.
const READ_BYTES: NonZeroUsize = NonZeroUsize::MAX;
const WIDE: u64 = WIDTH as u64;

/// A log, by what its checkpoints are verified with.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    base: KeyName,
    keys: Vec<VerifyingKey>,
    pub(super) generation: NonZeroU32,
    pub(super) origin: KeyName,
}

/// What an anchor knows, and the log does not have.
#[derive(Debug)]
pub(super) struct Contradiction {
    anchor: String,
    pub(super) known: LogTree,
    have: u64,
}

/// What an anchor knows, beside the log.
#[derive(Debug)]
pub(super) enum Compared {
    /// The log has it.
    NothingMore(Known),
    /// Another log, or a later one.
    Contradicted(Contradiction),
    /// No more than the log has, signed by a key that left the configuration: whether it is that, nobody can tell.
    UnknownKey(UnknownKey),
    /// More than the log has, signed by a key that is not known.
    Unverifiable(Unverifiable),
}

/// What a note says that no known key has signed.
#[derive(Debug)]
struct Claimed {
    tree: LogTree,
    by: UnknownKey,
}

/// How much an anchor knows of a log that has as much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing, or what an earlier log had, or what is no word of the log: who can write there hides at most what was
    /// there.
    Nothing,
    /// The tree of so many leaves.
    Tree(u64),
}

impl Identity {
    /// One of the logs of `base`, whose keys have that name.
    pub(super) fn new(
        base: KeyName,
        keys: Vec<VerifyingKey>,
        generation: NonZeroU32,
    ) -> Result<Self, InvalidKeyName> {
        let origin = origin_of(&base, generation)?;
        Ok(Self {
            base,
            keys,
            generation,
            origin,
        })
    }

    pub(super) const fn base(&self) -> &KeyName {
        &self.base
    }

    pub(super) fn verify(&self, note: &SignedNote) -> Result<Checkpoint, CheckpointError> {
        self.verify_as(note, &self.origin)
    }

    fn verify_as(
        &self,
        note: &SignedNote,
        origin: &KeyName,
    ) -> Result<Checkpoint, CheckpointError> {
        let keys: Vec<_> = self
            .keys
            .iter()
            .map(|key| self.named(key, origin))
            .collect();
        Checkpoint::verify(note, origin, &keys).map(|(checkpoint, _)| checkpoint)
    }

    /// A key of the log, with the name that it has in the log of that origin.
    fn named(&self, key: &VerifyingKey, origin: &KeyName) -> VerifyingKey {
        if *key.name() == self.base {
            key.with_name(origin.clone())
        } else {
            key.clone()
        }
    }

    /// What a note says of one of the logs of this origin, if it says anything of them.
    pub(super) fn known(&self, note: &SignedNote) -> Result<Option<LogTree>, CheckpointError> {
        let claimed = Checkpoint::parse(note.unverified_text())?;
        let Some(generation) = number_of(&self.base, claimed.origin()) else {
            return Ok(None);
        };
        let known = self.verify_as(note, claimed.origin())?;
        Ok(Some(LogTree::new(generation, known.size(), known.root())))
    }

    /// Which of the logs of this origin a note is about, and what it says of it; by a key that is not known it says
    /// nothing more.
    pub(super) fn said(&self, note: &SignedNote) -> Option<LogTree> {
        self.known(note).unwrap_or_else(|error| {
            let claimed = self.claimed(note, error)?;
            Some(LogTree::unknown(claimed.tree.generation))
        })
    }

    /// What the log has published, if it is this log.
    pub(super) async fn published(
        &self,
        store: &dyn Store,
    ) -> Result<Option<Published>, OpenError> {
        let Some(note) = store.checkpoint().await? else {
            return Ok(None);
        };
        let checkpoint = self
            .verify(&note)
            .map_err(|error| match self.claimed(&note, error) {
                Some(claimed) => claimed.by.into(),
                None => OpenError::OtherLog(error),
            })?;
        let size = checkpoint.size();
        Ok(Some(Published { size, note }))
    }

    /// Compares the log with what an anchor knows.
    pub(super) async fn compare(
        &self,
        store: &dyn Store,
        anchor: &dyn Anchor,
        known: &SignedNote,
    ) -> Result<Compared, StoreError> {
        let have = store.size().await?;
        let known = match self.known(known) {
            Ok(Some(tree)) => tree,
            Ok(None) => return Ok(Compared::NothingMore(Known::Nothing)),
            Err(error) => {
                let claimed = self.claimed(known, error);
                let nothing = Compared::NothingMore(Known::Nothing);
                return Ok(claimed.map_or(nothing, |claimed| {
                    self.compare_claimed(claimed, have, anchor)
                }));
            }
        };
        let is_so = match known.generation.cmp(&self.generation) {
            // A rollback was accepted since.
            Ordering::Less => true,
            Ordering::Equal => {
                known.size <= have && root_of(store, known.size).await? == known.root
            }
            // Back to a log that another has followed.
            Ordering::Greater => false,
        };
        if is_so {
            let is_this = known.generation == self.generation;
            let known = if is_this {
                Known::Tree(known.size)
            } else {
                Known::Nothing
            };
            return Ok(Compared::NothingMore(known));
        }
        Ok(Compared::Contradicted(Contradiction {
            anchor: anchor.name().to_owned(),
            known,
            have,
        }))
    }

    /// Compares the log with what nobody can verify. It is no word of the log, but who has emptied that, or cut it, may
    /// have taken the key away as well.
    fn compare_claimed(&self, claimed: Claimed, have: u64, anchor: &dyn Anchor) -> Compared {
        let Claimed { tree, by } = claimed;
        match tree.generation.cmp(&self.generation) {
            // A rollback was accepted since.
            Ordering::Less => Compared::NothingMore(Known::Nothing),
            Ordering::Equal if tree.size <= have => Compared::UnknownKey(by),
            Ordering::Equal | Ordering::Greater => Compared::Unverifiable(Unverifiable {
                anchor: anchor.name().to_owned(),
                signed_by: by.signed_by,
                claimed: tree.size,
                have,
            }),
        }
    }

    /// What a note says of a log of this origin, and by which of its keys it is said to be signed, where none that is
    /// known has signed it.
    fn claimed(&self, note: &SignedNote, error: CheckpointError) -> Option<Claimed> {
        let is_unverified = error == UnverifiedNote::NoKnownKey.into();
        let checkpoint = Checkpoint::parse(note.unverified_text()).ok()?;
        let origin = checkpoint.origin();
        let generation = number_of(&self.base, origin).filter(|_| is_unverified)?;
        let of_log = note.signatures().iter();
        let of_log = of_log.filter(|signature| signature.name() == origin);
        let keys: Vec<_> = of_log
            .map(|signature| format!("{}+{}", signature.name(), signature.id()))
            .collect();
        let signed_by = keys.join(", ");
        (!keys.is_empty()).then(|| Claimed {
            tree: LogTree::new(generation, checkpoint.size(), checkpoint.root()),
            by: UnknownKey { signed_by },
        })
    }
}

impl From<Contradiction> for RolledBack {
    fn from(found: Contradiction) -> Self {
        Self {
            anchor: found.anchor,
            had: found.known.size,
            have: found.have,
        }
    }
}

/// The root of the log when it had `size` leaves.
pub(super) async fn root_of(store: &dyn Store, size: u64) -> Result<TreeHash, StoreError> {
    Ok(edge_of(store, size).await?.root())
}

/// The tree of the log when it had `size` leaves: from the highest tiles that are full, and the leaves behind them.
async fn edge_of(store: &dyn Store, size: u64) -> Result<RightEdge, StoreError> {
    let mut edge = RightEdge::new();
    let mut bundle = 0;
    while bundle < size / WIDE {
        for hash in full_tile(store, bundle).await? {
            edge.push(hash);
        }
        bundle += 1;
    }
    let mut next = bundle * WIDE;
    while next < size {
        let batch = store.entries(next, READ_BYTES).await?;
        if batch.is_empty() {
            break;
        }
        for (_, leaf) in batch.iter().take_while(|(n, _)| *n < size) {
            edge.push(TreeHash::of_leaf(leaf));
        }
        next = batch.next();
    }
    Ok(edge)
}

async fn full_tile(store: &dyn Store, index: u64) -> Result<Vec<TreeHash>, StoreError> {
    let [tile, bundle] = [TileKind::Hashes { level: 0 }, TileKind::Entries]
        .map(|kind| TilePath::new(kind, index, WIDTH));
    if let Ok(path) = tile
        && let Some(bytes) = store.tile(path).await?
    {
        let tile = HashTile::decode(path, &bytes).map_err(StoreError::damaged)?;
        return Ok(tile.hashes().to_vec());
    }
    if let Ok(path) = bundle
        && let Some(bytes) = store.tile(path).await?
    {
        let bundle = EntryBundle::decode(path, &bytes).map_err(StoreError::damaged)?;
        return Ok(bundle.entries().map(TreeHash::of_leaf).collect());
    }
    let batch = store.entries(index * WIDE, READ_BYTES).await?;
    let hashes = batch.iter().map(|(_, leaf)| TreeHash::of_leaf(leaf));
    Ok(hashes.take(WIDTH.into()).collect())
}

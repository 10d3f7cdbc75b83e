//! What is looked at before a log is written to.

use std::{
    collections::{HashMap, HashSet},
    num::NonZeroUsize,
    time::Duration,
};

use super::{
    OpenError, RolledBack,
    intents::MAX_AGE,
    own_events::{BEGUN, Closing, Unfinished},
    shared::Published,
};
use crate::{
    anchor::Anchor,
    checkpoint::{Checkpoint, CheckpointError},
    event::{EventId, Id, Leaf, Outcome, Timestamp},
    note::{KeyName, SignedNote, VerifyingKey},
    store::{Store, StoreError},
    tile::{EntryBundle, HashTile, TileKind, TilePath, WIDTH},
    tree::{RightEdge, TreeHash},
};

/// How far back intents without an end are looked for.
const LOOK_BACK: Duration = Duration::from_secs(10 * 60);

/// How old an intent of another node is that nobody has ended: that node would have, if it were there. The minute is for
/// clocks that differ.
const LEFT_BEHIND: Duration = Duration::from_secs(MAX_AGE.as_secs() + 60);

/// How much of a log is read at once.
const READ_BYTES: NonZeroUsize = NonZeroUsize::MAX;
const WIDE: u64 = WIDTH as u64;

/// A log, by what its checkpoints are verified with.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) origin: KeyName,
    pub(super) keys: Vec<VerifyingKey>,
}

impl Identity {
    pub(super) fn verify(&self, note: &SignedNote) -> Result<Checkpoint, CheckpointError> {
        Checkpoint::verify(note, &self.origin, &self.keys).map(|(checkpoint, _)| checkpoint)
    }

    /// What the log has published, if it is this log.
    pub(super) async fn published(
        &self,
        store: &dyn Store,
    ) -> Result<Option<Published>, OpenError> {
        let Some(note) = store.checkpoint().await? else {
            return Ok(None);
        };
        let checkpoint = self.verify(&note).map_err(OpenError::OtherLog)?;
        let size = checkpoint.size();
        Ok(Some(Published { size, note }))
    }

    /// Compares the log with what an anchor knows.
    pub(super) async fn compare(
        &self,
        store: &dyn Store,
        anchor: &dyn Anchor,
        known: &SignedNote,
    ) -> Result<Option<RolledBack>, StoreError> {
        let have = store.size().await?;
        // What is not signed by the log is no word of it: who can write there hides at most what was there.
        let Ok(known) = self.verify(known) else {
            return Ok(None);
        };
        let had = known.size();
        if had <= have && root_of(store, had).await? == known.root() {
            return Ok(None);
        }
        Ok(Some(RolledBack {
            anchor: anchor.name().to_owned(),
            had,
            have,
        }))
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

/// What was begun in the last ten minutes and nobody ended: by this node, whose process before this one crashed, or so
/// long ago by another that its process is gone as well.
pub(super) async fn crashed(
    store: &dyn Store,
    node: &Id,
    now: Timestamp,
) -> Result<Vec<Closing>, StoreError> {
    let before = |age| now.unix_micros().saturating_sub(micros(age));
    let (earliest, left_behind) = (before(LOOK_BACK), before(LEFT_BEHIND));
    let (mut begun, mut ended) = (HashMap::new(), HashSet::new());
    let (first, mut end) = (store.first().await?, store.size().await?);
    while end > first {
        let start = (end.saturating_sub(1) / WIDE * WIDE).max(first);
        let mut is_recent = false;
        let mut next = start;
        while next < end {
            let batch = store.entries(next, READ_BYTES).await?;
            if batch.is_empty() {
                break;
            }
            for (_, bytes) in batch.iter().take_while(|(n, _)| *n < end) {
                let leaf = Leaf::parse(bytes).map_err(StoreError::damaged)?;
                is_recent |= leaf.time().unix_micros() >= earliest;
                ended.extend(leaf.refs());
                let is_old = leaf.time().unix_micros() < left_behind;
                if is_intent(&leaf) && (is_old || leaf.node() == node.as_str()) {
                    begun.insert(leaf.id(), Id::of_leaf(leaf.tenant()));
                }
            }
            next = batch.next();
        }
        if !is_recent {
            break;
        }
        end = start;
    }
    Ok(unended(begun, &ended))
}

fn is_intent(leaf: &Leaf<'_>) -> bool {
    leaf.outcome() == Outcome::Unknown && leaf.detail() == Some(BEGUN.as_str())
}

fn unended(begun: HashMap<EventId, Id>, ended: &HashSet<EventId>) -> Vec<Closing> {
    let mut unended: Vec<_> = begun
        .into_iter()
        .filter(|(intent, _)| !ended.contains(intent))
        .map(|(intent, tenant)| Closing {
            intent,
            tenant,
            why: Unfinished::Crashed,
        })
        .collect();
    unended.sort_unstable_by_key(|closing| closing.intent);
    unended
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

//! What a log in memory has.

use std::{collections::HashMap, num::NonZeroUsize};

use crate::{
    checkpoint::Checkpoint,
    event::{Id, Leaf},
    note::SignedNote,
    search::{Found, Page, Query, SearchCursor},
    store::{EntryBatch, Group, LogState, StoreError},
    tile::{TileKind, TilePath, WIDTH, write_entry},
    tree::{RightEdge, TreeHash},
};

#[derive(Debug, Default)]
pub(super) struct Kept {
    edge: RightEdge,
    /// Leaves that are left, the first of them of index `first`.
    leaves: Vec<Vec<u8>>,
    first: u64,
    hashes: Vec<TreeHash>,
    tenants: HashMap<Id, u64>,
    personal: HashMap<u64, Vec<u8>>,
    checkpoint: Option<(u64, SignedNote)>,
    cursors: HashMap<Id, u64>,
}

const WIDE: u64 = WIDTH as u64;

impl Kept {
    pub(super) const fn size(&self) -> u64 {
        self.edge.size()
    }

    pub(super) const fn first(&self) -> u64 {
        self.first
    }

    pub(super) fn state_of(&self, tenants: &[Id]) -> LogState {
        let numbers = tenants
            .iter()
            .filter_map(|tenant| Some((tenant.clone(), *self.tenants.get(tenant)?)));
        LogState::new(self.edge.clone(), numbers.collect())
    }

    pub(super) fn append(&mut self, group: &Group) -> Result<(), StoreError> {
        let expected = self.size();
        if group.first() != expected {
            return Err(StoreError::OtherGroup { expected });
        }
        for entry in group.entries() {
            self.leaves.push(entry.leaf.to_vec());
            self.hashes.push(entry.hash);
            let sealed = entry.sealed.map(|sealed| (entry.n, sealed.to_vec()));
            self.personal.extend(sealed);
        }
        self.edge = group.edge_after().clone();
        let numbers = group.after().tenants();
        self.tenants
            .extend(numbers.map(|(tenant, leaves)| (tenant.clone(), leaves)));
        Ok(())
    }

    pub(super) fn entries(&self, from: u64, most: NonZeroUsize) -> Result<EntryBatch, StoreError> {
        let first = self.first;
        let Some(skipped) = from.checked_sub(first) else {
            return Err(StoreError::Pruned { first });
        };
        let mut batch = EntryBatch::new(from);
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
        for leaf in self.leaves.iter().skip(skipped) {
            if !batch.is_empty() && batch.size_bytes() + leaf.len() > most.get() {
                break;
            }
            batch.push(leaf).map_err(StoreError::damaged)?;
        }
        Ok(batch)
    }

    pub(super) fn tile(&self, path: TilePath) -> Option<Vec<u8>> {
        let published = self.checkpoint.as_ref().map_or(0, |(size, _)| *size);
        match path.kind() {
            TileKind::Entries => {
                let start = path.index().checked_mul(WIDE)?;
                let end = start.checked_add(path.width().into())?;
                if end > published || start < self.first {
                    return None;
                }
                let mut bundle = Vec::new();
                for leaf in self.leaves.get(self.at(start)..self.at(end))? {
                    write_entry(leaf, &mut bundle).ok()?;
                }
                Some(bundle)
            }
            TileKind::Hashes { level } => {
                // How many leaves are below each hash of the tile.
                let below = 1_u64
                    .checked_shl(8 * u32::from(level))
                    .filter(|_| level < 8)?;
                let first = path.index().checked_mul(WIDE)?;
                let hashes = (first..first.checked_add(path.width().into())?).map(|index| {
                    let end = index.checked_add(1)?.checked_mul(below)?;
                    (end <= published).then(|| self.root_of(end - below, end))
                });
                hashes
                    .map(|hash| hash.map(|hash| *hash.as_bytes()))
                    .collect::<Option<Vec<_>>>()
                    .map(|hashes| hashes.concat())
            }
        }
    }

    pub(super) fn checkpoint(&self) -> Option<SignedNote> {
        self.checkpoint.as_ref().map(|(_, note)| note.clone())
    }

    pub(super) fn publish(&mut self, note: &SignedNote) -> Result<(), StoreError> {
        let checkpoint =
            Checkpoint::parse(note.unverified_text()).map_err(|_| StoreError::OtherTree)?;
        let size = checkpoint.size();
        let published = self.checkpoint.as_ref().map_or(0, |(size, _)| *size);
        let is_ours =
            size <= self.size() && size >= published && self.root_of(0, size) == checkpoint.root();
        if !is_ours {
            return Err(StoreError::OtherTree);
        }
        self.checkpoint = Some((size, note.clone()));
        Ok(())
    }

    pub(super) fn search(&self, query: &Query) -> Page {
        let filter = query.filter();
        let end = query.before(self.size());
        let (mut events, mut read) = (Vec::new(), 0);
        for n in (self.first..end).rev() {
            let Some(leaf) = self.leaves.get(self.at(n)) else {
                continue;
            };
            if events.len() == query.size().events() {
                return Page::new(events, Some(SearchCursor::new(n + 1, filter)), true);
            }
            if read + leaf.len() > Page::MAX_READ_BYTES {
                return Page::new(events, Some(SearchCursor::new(n + 1, filter)), false);
            }
            read += leaf.len();
            if Leaf::parse(leaf).is_ok_and(|leaf| filter.matches(&leaf)) {
                events.push(Found::new(n, leaf.clone()));
            }
        }
        Page::new(events, None, true)
    }

    pub(super) fn personal(&self, n: u64) -> Option<Vec<u8>> {
        self.personal.get(&n).cloned()
    }

    pub(super) fn erase(&mut self, leaves: &[u64]) -> u64 {
        let erased = leaves.iter().filter_map(|n| self.personal.remove(n));
        erased.count() as u64
    }

    pub(super) fn prune(&mut self, before: u64) -> u64 {
        let first = (before.min(self.size()) / WIDE * WIDE).max(self.first);
        let taken = first - self.first;
        self.leaves.drain(..self.at(first));
        self.first = first;
        self.personal.retain(|n, _| *n >= first);
        taken
    }

    pub(super) fn cursor(&self, name: &Id) -> Option<u64> {
        self.cursors.get(name).copied()
    }

    pub(super) fn move_cursor(&mut self, name: &Id, next: u64) {
        self.cursors.insert(name.clone(), next);
    }

    /// Where a leaf is among those that are left.
    fn at(&self, n: u64) -> usize {
        usize::try_from(n.saturating_sub(self.first)).unwrap_or(usize::MAX)
    }

    fn root_of(&self, start: u64, end: u64) -> TreeHash {
        let mut edge = RightEdge::new();
        let [start, end] = [start, end].map(|n| usize::try_from(n).unwrap_or(usize::MAX));
        for hash in self.hashes.get(start..end).unwrap_or_default() {
            edge.push(*hash);
        }
        edge.root()
    }
}

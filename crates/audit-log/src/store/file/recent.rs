//! Entries that are durable in the journal, and in no bundle yet.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use crate::{
    journal::Frame,
    store::Group,
    tile::{Entries, write_entry},
    tree::{RightEdge, TreeHash},
};

/// A group that was committed.
#[derive(Debug, Clone)]
pub(super) struct RecentGroup {
    first: u64,
    entries: Vec<u8>,
    hashes: Vec<TreeHash>,
    parts: Vec<(u64, Vec<u8>)>,
}

/// What readers see of a log: how far its bundles go, and everything behind them.
#[derive(Debug, Clone)]
pub(super) struct Recent {
    /// The first entry that is not pruned.
    pub(super) first: u64,
    /// The size of the tree that bundles and tiles have.
    pub(super) in_place: u64,
    /// That tree.
    pub(super) edge: RightEdge,
    size: u64,
    groups: VecDeque<Arc<RecentGroup>>,
    bytes: usize,
}

impl RecentGroup {
    pub(super) fn of(group: &Group) -> Self {
        let mut recent = Self::new(group.first());
        for entry in group.entries() {
            recent.push(entry.leaf, entry.hash, entry.sealed);
        }
        recent
    }

    /// The entries of a frame from this one on.
    pub(super) fn of_frame(frame: &Frame<'_>, from: u64) -> Self {
        let mut recent = Self::new(frame.first().max(from));
        let mut parts = frame.personal().peekable();
        for (n, entry) in (frame.first()..).zip(frame.entries()) {
            let part = parts.next_if(|part| part.n == n);
            if n >= from {
                let sealed = part.map(|part| part.sealed);
                recent.push(entry, TreeHash::of_leaf(entry), sealed);
            }
        }
        recent
    }

    const fn new(first: u64) -> Self {
        Self {
            first,
            entries: Vec::new(),
            hashes: Vec::new(),
            parts: Vec::new(),
        }
    }

    fn push(&mut self, entry: &[u8], hash: TreeHash, sealed: Option<&[u8]>) {
        let n = self.end();
        // A leaf has at most 16 KiB.
        if write_entry(entry, &mut self.entries).is_ok() {
            self.hashes.push(hash);
            self.parts.extend(sealed.map(|sealed| (n, sealed.to_vec())));
        }
    }

    pub(super) const fn first(&self) -> u64 {
        self.first
    }

    pub(super) const fn end(&self) -> u64 {
        self.first + self.hashes.len() as u64
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (u64, &[u8])> {
        (self.first..).zip(Entries::of(&self.entries))
    }

    pub(super) fn hashed(&self) -> impl Iterator<Item = (u64, &[u8], TreeHash)> {
        let hashed = self.entries().zip(&self.hashes);
        hashed.map(|((n, entry), hash)| (n, entry, *hash))
    }

    /// Each with its personal part.
    pub(super) fn parted(&self) -> impl Iterator<Item = (u64, &[u8], Option<&[u8]>)> {
        let mut parts = self.parts().peekable();
        self.entries().map(move |(n, entry)| {
            let part = parts.next_if(|(of, _)| *of == n);
            (n, entry, part.map(|(_, sealed)| sealed))
        })
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.parts.iter().map(|(n, sealed)| (*n, &**sealed))
    }

    pub(super) fn part(&self, n: u64) -> Option<&[u8]> {
        let at = self.parts.binary_search_by_key(&n, |(of, _)| *of).ok()?;
        self.parts.get(at).map(|(_, sealed)| &**sealed)
    }

    pub(super) fn entry_bytes(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn bytes(&self) -> usize {
        let parts: usize = self.parts.iter().map(|(_, sealed)| sealed.len()).sum();
        self.entries.len() + self.hashes.len() * TreeHash::BYTES + parts
    }
}

impl Recent {
    /// Behind the bundles that are in place there is nothing yet.
    pub(super) const fn new(edge: RightEdge, first: u64) -> Self {
        Self {
            first,
            in_place: edge.size(),
            size: edge.size(),
            edge,
            groups: VecDeque::new(),
            bytes: 0,
        }
    }

    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// Bytes in memory.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The first entry that is in memory; those before it are in bundles.
    pub(super) fn first_in_memory(&self) -> u64 {
        self.groups.front().map_or(self.size, |group| group.first())
    }

    pub(super) fn groups(&self) -> impl DoubleEndedIterator<Item = &Arc<RecentGroup>> {
        self.groups.iter()
    }

    pub(super) fn push(&mut self, group: Arc<RecentGroup>) {
        self.size = group.end();
        self.bytes += group.bytes();
        self.groups.push_back(group);
    }

    /// The bundles of this tree are in place.
    pub(super) fn place(&mut self, edge: RightEdge) {
        self.in_place = edge.size();
        self.edge = edge;
        while let Some(group) = self.groups.front()
            && group.end() <= self.in_place
        {
            self.bytes -= group.bytes();
            self.groups.pop_front();
        }
    }

    /// The groups that have some of these entries.
    pub(super) fn groups_within(&self, entries: &Range<u64>) -> Vec<Arc<RecentGroup>> {
        let groups = self.groups.iter();
        groups
            .filter(|group| group.first() < entries.end && group.end() > entries.start)
            .cloned()
            .collect()
    }

    /// Takes the personal parts of some entries away.
    pub(super) fn erase(&mut self, is_erased: impl Fn(u64) -> bool) {
        for group in &mut self.groups {
            if group.parts().any(|(n, _)| is_erased(n)) {
                let before = group.bytes();
                let group = Arc::make_mut(group);
                group.parts.retain(|(n, _)| !is_erased(*n));
                self.bytes -= before - group.bytes();
            }
        }
    }
}

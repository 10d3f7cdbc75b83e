//! Entries that become bundles.

use std::collections::VecDeque;

use super::Upkeep;
use crate::{
    event::Leaf,
    store::file::{FileStoreError, bundles::WIDE, index_row::IndexRow},
    tree::RightEdge,
};

/// What is known of the bundles that are full and of the one that is being filled.
#[derive(Debug)]
pub(super) struct Bundling {
    filling: Bundle,
    full: VecDeque<Bundle>,
    /// The tree of all full bundles.
    edge: RightEdge,
}

#[derive(Debug)]
struct Bundle {
    number: u64,
    row: IndexRow,
    tenants: Vec<(Box<str>, u64)>,
}

impl Bundling {
    /// Behind the bundles of this tree.
    pub(super) fn new(edge: RightEdge) -> Self {
        Self {
            filling: Bundle::new(edge.size() / WIDE),
            full: VecDeque::new(),
            edge,
        }
    }

    /// How many are full, and not in place.
    pub(super) fn full(&self) -> usize {
        self.full.len()
    }
}

impl Bundle {
    fn new(number: u64) -> Self {
        Self {
            number,
            row: IndexRow::new(),
            tenants: Vec::new(),
        }
    }

    fn add(&mut self, leaf: &Leaf<'_>) {
        self.row.add(leaf);
        let next = leaf.numbers().in_tenant.saturating_add(1);
        let tenant = leaf.tenant();
        match self.tenants.iter_mut().find(|(of, _)| **of == *tenant) {
            Some((_, known)) => *known = next,
            None => self.tenants.push((tenant.into(), next)),
        }
    }
}

impl Upkeep {
    /// Takes the entries before this one over from memory.
    pub(super) fn take_up(&mut self, end: u64) -> Result<(), FileStoreError> {
        let from = self.folder.edge().size();
        if end <= from {
            return Ok(());
        }
        let groups = self.log.recent().groups_within(&(from..end));
        for group in groups {
            for (n, entry, hash) in group.hashed() {
                if n < from || n >= end {
                    continue;
                }
                self.folder
                    .push_hashed(entry, hash)
                    .map_err(|_| FileStoreError::Damaged {
                        path: self.log.folder().to_owned(),
                        what: "an entry is longer than a bundle has room for",
                    })?;
                if let Ok(leaf) = Leaf::parse(entry) {
                    self.bundling.filling.add(&leaf);
                }
                if self.folder.edge().size().is_multiple_of(WIDE) {
                    let next = Bundle::new(self.bundling.filling.number + 1);
                    let full = std::mem::replace(&mut self.bundling.filling, next);
                    self.bundling.full.push_back(full);
                    self.bundling.edge = self.folder.edge().clone();
                }
            }
        }
        Ok(())
    }

    /// Puts what is full in place: first what lies beside, so that it is there for every bundle that is. What failed is
    /// done by the next call.
    pub(super) fn put_in_place(&mut self) -> Result<(), FileStoreError> {
        let end = self.bundling.edge.size();
        let in_place = self.log.recent().in_place;
        if end <= in_place {
            return Ok(());
        }
        let groups = self.log.recent().groups_within(&(in_place..end));
        let parts = groups.iter().flat_map(|group| group.parts());
        let parts = parts.filter(|(n, _)| (in_place..end).contains(n));
        self.log.personal.append(parts)?;
        for bundle in &self.bundling.full {
            self.log.index.put(bundle.number, &bundle.row)?;
        }
        self.folder.write()?;
        for bundle in self.bundling.full.drain(..) {
            for (tenant, next) in bundle.tenants {
                self.tenants.set(&tenant, next);
            }
        }
        self.tenants.size = end;
        self.log.recent().place(self.bundling.edge.clone());
        self.log.placed.notify_waiters();
        Ok(())
    }
}

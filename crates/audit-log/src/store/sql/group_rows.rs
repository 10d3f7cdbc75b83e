//! A group as rows.

use std::collections::BTreeMap;

use super::{IndexRow, WIDE, signed};
use crate::{
    event::Leaf,
    store::{Group, StoreError},
    tile::{GrowingTiles, TileKind, TilePath},
    tree::TreeHash,
};

/// All rows that a group makes or changes.
#[derive(Debug, Clone)]
pub(in crate::store) struct GroupRows {
    pub(in crate::store) events: Vec<EventRow>,
    /// Index of the leaf, and what is sealed beside it.
    pub(in crate::store) parts: Vec<(i64, Vec<u8>)>,
    /// Number of the bundle, and the earliest and latest time of the group's leaves in it.
    pub(super) bundles: Vec<(i64, i64, i64)>,
    /// Level, number and hashes.
    pub(super) tiles: Vec<(i64, i64, Vec<u8>)>,
    pub(super) tenants: Vec<(String, i64)>,
    pub(super) size: i64,
    pub(super) root: TreeHash,
}

/// A leaf as a row.
#[derive(Debug, Clone)]
pub(in crate::store) struct EventRow {
    pub(in crate::store) n: i64,
    pub(in crate::store) index: IndexRow,
    pub(in crate::store) leaf: Vec<u8>,
}

impl GroupRows {
    /// The rows of a group that is appended to the tree of those tiles.
    pub(super) fn new(group: &Group, mut tiles: GrowingTiles) -> Result<Self, StoreError> {
        let mut rows = Self {
            events: Vec::with_capacity(group.len()),
            parts: Vec::new(),
            bundles: Vec::new(),
            tiles: Vec::new(),
            tenants: Vec::new(),
            size: signed(group.edge_after().size()),
            root: group.edge_after().root(),
        };
        let mut times = BTreeMap::new();
        for entry in group.entries() {
            let leaf = Leaf::parse(entry.leaf).map_err(StoreError::damaged)?;
            let (n, index) = (signed(entry.n), IndexRow::of(&leaf));
            let time = signed(index.time);
            let (earliest, latest) = times.entry(entry.n / WIDE).or_insert((time, time));
            *earliest = time.min(*earliest);
            *latest = time.max(*latest);
            rows.parts
                .extend(entry.sealed.map(|sealed| (n, sealed.to_vec())));
            rows.events.push(EventRow {
                n,
                index,
                leaf: entry.leaf.to_vec(),
            });
            tiles.push(entry.hash, |path, hashes| {
                rows.tiles.push(tile(path, hashes))
            });
        }
        let last: Vec<_> = tiles
            .partial()
            .map(|(path, hashes)| tile(path, hashes))
            .collect();
        rows.tiles.extend(last);
        let times = times.into_iter();
        rows.bundles
            .extend(times.map(|(bundle, (earliest, latest))| (signed(bundle), earliest, latest)));
        let tenants = group.after().tenants();
        rows.tenants
            .extend(tenants.map(|(tenant, leaves)| (tenant.as_str().to_owned(), signed(leaves))));
        Ok(rows)
    }
}

fn tile(path: TilePath, hashes: &[TreeHash]) -> (i64, i64, Vec<u8>) {
    let level = match path.kind() {
        TileKind::Hashes { level } => i64::from(level),
        // Tiles of hashes are all that grow.
        TileKind::Entries => 0,
    };
    let bytes: Vec<_> = hashes.iter().map(|hash| *hash.as_bytes()).collect();
    (level, signed(path.index()), bytes.concat())
}

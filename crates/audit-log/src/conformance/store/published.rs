//! What third parties see.

use std::collections::HashMap;

use super::{MUCH, append, no_part};
use crate::{
    checkpoint::Policy,
    conformance::{
        Clause,
        records::{key, signed},
    },
    source::{CHECKPOINT_PATH, LogSource, SourceError},
    store::{Store, StoreError},
    tile::{TileKind, TilePath, WIDTH},
    tree::{RightEdge, TreeHash},
    verify::{Outcome, Verification},
};

pub(super) async fn a_checkpoint_is_of_a_tree_that_the_log_had(clause: Clause, store: &dyn Store) {
    let small = clause.done("commit", append(store, 0..10, no_part).await);
    let large = clause.done("commit", append(store, 10..300, no_part).await);
    let mut longer = large.clone();
    longer.push(TreeHash::of_leaf(b"never appended"));
    let mut other = RightEdge::new();
    (0..10).for_each(|_| other.push(TreeHash::of_leaf(b"never appended")));
    let refused = async |edge: &RightEdge| {
        let refused = store.publish(&signed(edge)).await;
        clause.holds(
            matches!(refused, Err(StoreError::OtherTree)),
            format_args!("{refused:?}"),
        );
    };
    refused(&longer).await;
    refused(&other).await;
    let none = clause.done("checkpoint", store.checkpoint().await);
    clause.holds(none.is_none(), "a refused checkpoint is published");

    for edge in [&small, &large, &large] {
        clause.done("publish", store.publish(&signed(edge)).await);
        let seen = clause.done("checkpoint", store.checkpoint().await);
        let seen = seen.map(|note| note.to_string());
        clause.same("checkpoint", seen, Some(signed(edge).to_string()));
    }
    refused(&small).await;
}

pub(super) async fn what_is_published_can_be_verified(clause: Clause, store: &dyn Store) {
    for (group, next) in [(0..255, 255), (255..256, 256), (256..700, 700)] {
        let edge = clause.done("commit", append(store, group, no_part).await);
        clause.done("publish", store.publish(&signed(&edge)).await);
        verify(clause, store, next).await;
        // What was appended since is not published.
        let none = TilePath::new(TileKind::Entries, next / 256 + 1, WIDTH);
        if let Ok(path) = none {
            let none = clause.done("tile", store.tile(path).await);
            clause.holds(none.is_none(), "there is a bundle behind the last");
        }
    }
}

/// Checks everything that is published, from its first leaf to the checkpoint.
async fn verify(clause: Clause, store: &dyn Store, size: u64) {
    let published = Published::read(clause, store, size).await;
    let policy = Policy::new(vec![key().verifying_key().clone()]);
    let policy = clause.done("policy", policy);
    let report = Verification::new(&published, &policy).pruned_below(0).run();
    clause.holds(
        report.outcome() == Outcome::Sound,
        format_args!("{:?}", report.findings),
    );
    let signed = report.signed.map(|signed| signed.checkpoint().size());
    clause.same("size", signed, Some(size));
}

/// What a store publishes.
#[derive(Debug)]
struct Published(HashMap<String, Vec<u8>>);

impl Published {
    async fn read(clause: Clause, store: &dyn Store, size: u64) -> Self {
        let note = clause.done("checkpoint", store.checkpoint().await);
        let note = note.map(|note| (CHECKPOINT_PATH.to_owned(), note.to_string().into_bytes()));
        let mut files: HashMap<_, _> = note.into_iter().collect();
        let full = |kind, level: u32| {
            let count = size >> (8 * level) >> 8;
            (0..count).filter_map(move |index| TilePath::new(kind, index, WIDTH).ok())
        };
        let hashes = (0..8_u8).flat_map(|level| full(TileKind::Hashes { level }, level.into()));
        let paths = full(TileKind::Entries, 0)
            .chain(hashes)
            .chain(TilePath::partial(size));
        for path in paths {
            let bytes = clause.done("tile", store.tile(path).await);
            files.extend(bytes.map(|bytes| (path.to_string(), bytes)));
        }
        Self(files)
    }
}

impl LogSource for Published {
    fn read(&self, path: &str, _: usize) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.0.get(path).cloned())
    }
}

async fn there(clause: Clause, store: &dyn Store, path: TilePath) -> Vec<u8> {
    let bytes = clause.done("tile", store.tile(path).await);
    bytes.unwrap_or_else(|| clause.fails(format_args!("{path} is missing")))
}

pub(super) async fn leaves_go_by_whole_bundles_and_tiles_stay(clause: Clause, store: &dyn Store) {
    let part = |number: u64| Some(vec![7; usize::try_from(number).unwrap_or(0) % 50 + 1]);
    let edge = clause.done("commit", append(store, 0..600, part).await);
    clause.done("publish", store.publish(&signed(&edge)).await);
    for (before, taken, first) in [(255, 0, 0), (511, 256, 256), (300, 0, 256), (512, 256, 512)] {
        let seen = clause.done("prune", store.prune(before).await);
        clause.same("leaves that went", seen, taken);
        clause.same("first", clause.done("first", store.first().await), first);
    }
    let gone = store.entries(511, MUCH).await;
    clause.holds(
        matches!(gone, Err(StoreError::Pruned { first: 512 })),
        format_args!("{gone:?}"),
    );
    let left = clause.done("entries", store.entries(512, MUCH).await);
    clause.holds(!left.is_empty(), "what is left is not read");
    let part = clause.done("personal", store.personal(511).await);
    clause.same("personal part of a pruned leaf", part, None);
    for index in 0..2 {
        let [bundle, tile] = [TileKind::Entries, TileKind::Hashes { level: 0 }]
            .map(|kind| clause.done("path", TilePath::new(kind, index, WIDTH)));
        let gone = clause.done("tile", store.tile(bundle).await);
        clause.holds(gone.is_none(), "a pruned bundle is there");
        there(clause, store, tile).await;
    }
    // The log goes on behind.
    let edge = clause.done("commit", append(store, 600..900, no_part).await);
    clause.done("publish", store.publish(&signed(&edge)).await);
    clause.same("size", clause.done("size", store.size().await), 900);
}

pub(super) async fn who_prunes_counts_what_it_took_itself(clause: Clause, store: &dyn Store) {
    let edge = clause.done("commit", append(store, 0..1_300, no_part).await);
    clause.done("publish", store.publish(&signed(&edge)).await);
    let (one, other) = tokio::join!(store.prune(1_100), store.prune(1_290));
    let taken = clause.done("prune", one) + clause.done("prune", other);
    clause.same("first", clause.done("first", store.first().await), 1_280);
    clause.same("leaves that went", taken, 1_280);
}

//! Tiles of hashes: where the tree is kept.

use sqlx::{Encode, Executor, IntoArguments, QueryBuilder, Type};

use super::{Dialect, row::SqlRow as _, signed};
use crate::{
    store::StoreError,
    tile::{HashTile, TileError, TileKind, TilePath},
    tree::{ProofError, RightEdge, TreeHash},
};

/// The tables do not have the tree that they say they have.
#[derive(Debug, thiserror::Error)]
pub(super) enum WrongTree {
    #[error("{0} is missing in `audit_tile`")]
    Missing(TilePath),
    #[error("a row of `audit_tile` is no tile: {0}")]
    Tile(#[from] TileError),
    #[error("the size in `audit_log` is that of no tree: {0}")]
    Size(#[from] ProofError),
    #[error("the tiles in `audit_tile` do not lead to the root in `audit_log`")]
    Root,
}

/// The last tile of each level in a tree of `size` leaves. In a larger tree they are the beginnings of what is there.
pub(super) async fn of_edge<DB: Dialect>(
    size: u64,
    connection: &mut DB::Connection,
) -> Result<Vec<HashTile>, StoreError>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    DB::Arguments: IntoArguments<DB>,
{
    let wanted: Vec<_> = TilePath::partial(size)
        .filter_map(|path| match path.kind() {
            TileKind::Hashes { level } => Some((u64::from(level), path)),
            TileKind::Entries => None,
        })
        .collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut select = QueryBuilder::<DB>::new("SELECT level, number, hashes FROM audit_tile WHERE ");
    for (place, (level, path)) in wanted.iter().enumerate() {
        select.push(if place == 0 {
            "(level = "
        } else {
            " OR (level = "
        });
        select.push_bind(signed(*level));
        select.push(" AND number = ");
        select.push_bind(signed(path.index()));
        select.push(")");
    }
    let rows = select.build().fetch_all(connection).await;
    let mut found = Vec::new();
    for row in rows.map_err(DB::failed)? {
        let place = (row.number("level")?, row.number("number")?);
        found.push((place, row.bytes("hashes")?));
    }
    let tiles = wanted.into_iter().map(|(level, path)| {
        let there = found
            .iter()
            .find(|(place, _)| *place == (level, path.index()));
        let bytes = there.and_then(|(_, bytes)| bytes.get(..bytes_of(path)));
        let bytes = bytes.ok_or(WrongTree::Missing(path))?;
        Ok(HashTile::decode(path, bytes)?)
    });
    tiles
        .collect::<Result<_, WrongTree>>()
        .map_err(StoreError::damaged)
}

/// The right edge that follows from the last tiles of a tree.
pub(super) fn edge(size: u64, tiles: &[HashTile]) -> Result<RightEdge, StoreError> {
    RightEdge::build(size, |subtree| {
        let tile = tiles.iter().find(|tile| tile.holds(subtree));
        // Each perfect subtree of a tree is in the last tile of its level.
        let tile = tile.ok_or(WrongTree::Size(ProofError::TooLarge))?;
        Ok(tile.subtree(subtree)?)
    })
    .map_err(|error: WrongTree| StoreError::damaged(error))
}

/// How many bytes a tile of that width has.
pub(super) fn bytes_of(path: TilePath) -> usize {
    usize::from(path.width()) * TreeHash::BYTES
}

//! A log that is taken, and a group that is appended to it.

use sqlx::{Encode, Executor, IntoArguments, QueryBuilder, Type};

use super::{
    Dialect, GroupRows, Tables, many_rows,
    row::SqlRow as _,
    tiles::{self, WrongTree},
};
use crate::{
    event::Id,
    store::{Group, LogState, StoreError},
    tile::{GrowingTiles, HashTile},
    tree::{RightEdge, TreeHash},
};

/// What the row of a log says.
#[derive(Debug, Clone)]
pub(in crate::store) struct LogRow {
    pub(in crate::store) size: u64,
    pub(in crate::store) first: u64,
    root: TreeHash,
}

/// A log that is taken by a transaction.
#[derive(Debug)]
pub(in crate::store) struct Prepared<DB: Dialect> {
    transaction: DB::Transaction,
    state: LogState,
    tiles: Vec<HashTile>,
}

impl<DB: Dialect> Prepared<DB> {
    pub(in crate::store) fn state(&self) -> LogState {
        self.state.clone()
    }
}

impl LogRow {
    pub(super) fn read<DB: Dialect>(row: &DB::Row) -> Result<Self, StoreError> {
        let root = row.bytes("root")?;
        let root = <[u8; TreeHash::BYTES]>::try_from(root);
        Ok(Self {
            size: row.number("size")?,
            first: row.number("first")?,
            root: TreeHash::from_bytes(root.map_err(|_| StoreError::damaged(WrongTree::Root))?),
        })
    }
}

impl<DB: Dialect> Tables<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    for<'q> String: Encode<'q, DB> + Type<DB>,
    for<'q> Vec<u8>: Encode<'q, DB> + Type<DB>,
    DB::Arguments: IntoArguments<DB>,
{
    /// Takes the log, and reads what a group is begun with.
    pub(in crate::store) async fn take(&self, tenants: &[Id]) -> Result<Prepared<DB>, StoreError> {
        let mut transaction = DB::begin(&self.pool).await?;
        let taken = sqlx::query::<DB>(DB::TAKE_LOG).fetch_one(&mut *transaction);
        let row = LogRow::read::<DB>(&taken.await.map_err(DB::failed)?)?;
        let tiles = tiles::of_edge::<DB>(row.size, &mut transaction).await?;
        let edge = tiles::edge(row.size, &tiles)?;
        if edge.root() != row.root {
            return Err(StoreError::damaged(WrongTree::Root));
        }
        let state = read_state::<DB>(edge, tenants, &mut transaction).await?;
        Ok(Prepared {
            transaction,
            state,
            tiles,
        })
    }

    /// The rows of a group that follows what was taken.
    pub(in crate::store) fn rows_of(
        prepared: &Prepared<DB>,
        group: &Group,
    ) -> Result<GroupRows, StoreError> {
        let expected = prepared.state.edge().size();
        if group.first() != expected {
            return Err(StoreError::OtherGroup { expected });
        }
        let tiles = GrowingTiles::from_partial(expected, &prepared.tiles);
        GroupRows::new(group, tiles.map_err(StoreError::damaged)?)
    }

    /// Appends the rows of a group, and gives the log back.
    pub(in crate::store) async fn append(
        prepared: Prepared<DB>,
        rows: GroupRows,
    ) -> Result<(), StoreError> {
        let mut transaction = prepared.transaction;
        write::<DB>(&rows, &mut transaction)
            .await
            .map_err(DB::failed)?;
        DB::commit(transaction).await
    }

    /// Gives the log back as it was.
    pub(in crate::store) async fn give_back(prepared: Prepared<DB>) -> Result<(), StoreError> {
        DB::rollback(prepared.transaction).await
    }
}

async fn read_state<DB: Dialect>(
    edge: RightEdge,
    tenants: &[Id],
    connection: &mut DB::Connection,
) -> Result<LogState, StoreError>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'q> String: Encode<'q, DB> + Type<DB>,
    DB::Arguments: IntoArguments<DB>,
{
    if tenants.is_empty() {
        return Ok(LogState::new(edge, [].into()));
    }
    let mut select =
        QueryBuilder::<DB>::new("SELECT tenant, leaves FROM audit_tenant WHERE tenant IN (");
    let mut wanted = select.separated(", ");
    for tenant in tenants {
        wanted.push_bind(tenant.as_str().to_owned());
    }
    select.push(")");
    let rows = select.build().fetch_all(connection).await;
    let mut leaves = std::collections::HashMap::new();
    for row in rows.map_err(DB::failed)? {
        let tenant = row.text("tenant")?;
        leaves.insert(Id::of_leaf(&tenant), row.number("leaves")?);
    }
    Ok(LogState::new(edge, leaves))
}

async fn write<DB: Dialect>(
    rows: &GroupRows,
    connection: &mut DB::Connection,
) -> Result<(), sqlx::Error>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    for<'q> String: Encode<'q, DB> + Type<DB>,
    for<'q> Vec<u8>: Encode<'q, DB> + Type<DB>,
    DB::Arguments: IntoArguments<DB>,
{
    DB::insert(connection, rows).await?;
    let tiles = [
        "INSERT INTO audit_tile (level, number, hashes) ",
        " ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes",
    ];
    many_rows::insert::<DB, _>(connection, tiles, &rows.tiles, |row, tile| {
        let (level, number, hashes) = tile;
        row.push_bind(*level).push_bind(*number);
        row.push_bind(hashes.clone());
    })
    .await?;
    let bundles = [
        "INSERT INTO audit_bundle (number, earliest, latest) ",
        " ON CONFLICT (number) DO UPDATE
          SET earliest = CASE WHEN audit_bundle.earliest < excluded.earliest
                  THEN audit_bundle.earliest ELSE excluded.earliest END,
              latest = CASE WHEN audit_bundle.latest > excluded.latest
                  THEN audit_bundle.latest ELSE excluded.latest END",
    ];
    many_rows::insert::<DB, _>(connection, bundles, &rows.bundles, |row, bundle| {
        let (number, earliest, latest) = bundle;
        row.push_bind(*number).push_bind(*earliest);
        row.push_bind(*latest);
    })
    .await?;
    let tenants = [
        "INSERT INTO audit_tenant (tenant, leaves) ",
        " ON CONFLICT (tenant) DO UPDATE SET leaves = excluded.leaves",
    ];
    many_rows::insert::<DB, _>(connection, tenants, &rows.tenants, |row, tenant| {
        let (tenant, leaves) = tenant;
        row.push_bind(tenant.clone()).push_bind(*leaves);
    })
    .await?;
    let grow = sqlx::query::<DB>("UPDATE audit_log SET size = $1, root = $2")
        .bind(rows.size)
        .bind(rows.root.as_bytes().to_vec());
    grow.execute(connection).await.map(drop)
}

//! The oldest leaves go, by whole bundles.

use sqlx::{Sqlite, SqliteConnection};

use super::turn;
use crate::store::{
    StoreError,
    sql::{Dialect as _, Tables},
};

/// So much goes in one transaction, 16 bundles: who appends waits for it.
const STEP: i64 = 4_096;

/// Others prune too, and each is to count what it takes itself.
const FIRST: &str = "SELECT first FROM audit_log";

/// How far the log is pruned by a step: whole bundles that are published.
const MOVE_FIRST: &str = "
    UPDATE audit_log SET first = max(first, min(
        $1, first + $2, size, (SELECT size FROM audit_checkpoint)
    ) / 256 * 256)
    RETURNING first";

const DELETE: [&str; 4] = [
    "DELETE FROM audit_personal WHERE n < $1",
    "DELETE FROM audit_term WHERE n < $1",
    "DELETE FROM audit_event WHERE n < $1",
    "DELETE FROM audit_bundle WHERE number * 256 < $1",
];

/// Takes leaves away, and gives how many.
pub(super) async fn prune(tables: &Tables<Sqlite>, before: u64) -> Result<u64, StoreError> {
    let before = i64::try_from(before).unwrap_or(i64::MAX);
    let mut taken = 0;
    loop {
        let mut transaction = turn::begin(&tables.pool).await?;
        let some = step(before, &mut transaction).await;
        let some = some.map_err(Sqlite::failed)?.cast_unsigned();
        transaction.commit().await.map_err(Sqlite::failed)?;
        if some == 0 {
            return Ok(taken);
        }
        taken += some;
    }
}

/// Gives how many leaves it took.
async fn step(before: i64, connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    let former: i64 = sqlx::query_scalar(FIRST)
        .fetch_one(&mut *connection)
        .await?;
    let first: i64 = sqlx::query_scalar(MOVE_FIRST)
        .bind(before)
        .bind(STEP)
        .fetch_one(&mut *connection)
        .await?;
    for delete in DELETE {
        let delete = sqlx::query(delete).bind(first);
        delete.execute(&mut *connection).await?;
    }
    Ok(first - former)
}

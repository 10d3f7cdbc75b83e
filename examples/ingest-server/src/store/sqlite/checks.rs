//! What the database remembers of the secrets it was written with.

use std::{
    num::NonZeroU16,
    time::{Duration, SystemTime},
};

use portcullis_pii_crypto::{IndexPhase, IndexState, IndexVersion};
use rusqlite::{Connection, OptionalExtension as _, Row};
use sqlx::{
    Row as _, SqliteConnection, SqlitePool,
    sqlite::{SqliteExecutor, SqliteRow},
};

use super::{connection::counted, failure::Failure, transaction::WriteTransaction};
use crate::store::{SecretCheck, StoreError};

const LIVE: &str = "SELECT version, phase FROM index_state";
const ENFORCED: &str = "SELECT version FROM index_state WHERE phase = 'enforced'";

/// Whether there is any, in a database that may have no tables yet.
pub(super) async fn any(connection: &mut SqliteConnection) -> Result<bool, Failure> {
    let table = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'secret_check')";
    if !sqlx::query_scalar(table)
        .fetch_one(&mut *connection)
        .await?
    {
        return Ok(false);
    }
    let row = "SELECT EXISTS (SELECT 1 FROM secret_check)";
    Ok(sqlx::query_scalar(row).fetch_one(connection).await?)
}

/// Every check value.
pub(super) async fn all(executor: impl SqliteExecutor<'_>) -> Result<Vec<SecretCheck>, Failure> {
    let rows = sqlx::query("SELECT secret, version, value FROM secret_check")
        .fetch_all(executor)
        .await?;
    let check = |row: &SqliteRow| {
        Ok(SecretCheck {
            secret: row.try_get("secret")?,
            version: row.try_get("version")?,
            value: row.try_get("value")?,
        })
    };
    rows.iter().map(check).collect()
}

/// Adds those that are new, all or none.
pub(super) async fn remember(pool: &SqlitePool, checks: &[SecretCheck]) -> Result<(), Failure> {
    let mut tx = WriteTransaction::begin(pool).await?;
    for check in checks {
        sqlx::query("INSERT INTO secret_check VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
            .bind(&check.secret)
            .bind(check.version)
            .bind(&check.value)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(())
}

/// When a version of a secret was remembered, if that is known.
pub(super) fn first_used(
    connection: &Connection,
    secret: &str,
    version: u32,
) -> Result<Option<SystemTime>, Failure> {
    let used = "SELECT at FROM secret_first_use WHERE secret = ? AND version = ?";
    let at = connection.prepare_cached(used).and_then(|mut select| {
        let row = |row: &Row<'_>| counted(row, 0);
        select.query_row((secret, version), row).optional()
    })?;
    Ok(at.and_then(|at| SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(at))))
}

/// The live index versions of a file that may be of an earlier version, which did not keep since when each
/// is in its phase.
pub(super) async fn index_state_now(
    connection: &mut SqliteConnection,
) -> Result<IndexState, Failure> {
    let rows: Vec<(u16, String)> = sqlx::query_as(LIVE).fetch_all(connection).await?;
    state(rows.into_iter().map(|(version, phase)| (version, phase, 0)))
}

/// The live index versions.
pub(super) fn index_state(connection: &Connection) -> Result<IndexState, Failure> {
    let live = "SELECT version, phase, since FROM index_state";
    let rows = connection.prepare_cached(live).and_then(|mut select| {
        let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, counted(row, 2)?));
        select.query_map([], row)?.collect::<Result<Vec<_>, _>>()
    });
    state(rows?)
}

fn state(rows: impl IntoIterator<Item = (u16, String, u64)>) -> Result<IndexState, Failure> {
    let row = |(version, phase, since): (u16, String, u64)| {
        let version = IndexVersion::new(NonZeroU16::new(version)?);
        let since = SystemTime::UNIX_EPOCH + Duration::from_millis(since);
        Some((version, IndexPhase::parse(&phase)?, since))
    };
    let rows = rows.into_iter().map(row).collect::<Option<Vec<_>>>();
    Ok(IndexState::new(
        rows.ok_or(StoreError::Malformed("index state"))?,
    ))
}

/// The enforced index version, which is `version` if none was yet.
pub(super) async fn enforced_index(pool: &SqlitePool, version: u16) -> Result<u16, Failure> {
    let mut tx = WriteTransaction::begin(pool).await?;
    let statement = "INSERT INTO index_state (version, phase) SELECT ?, 'enforced'
        WHERE NOT EXISTS (SELECT 1 FROM index_state WHERE phase = 'enforced')";
    sqlx::query(statement)
        .bind(version)
        .execute(&mut *tx)
        .await?;
    let enforced = sqlx::query_scalar(ENFORCED).fetch_one(&mut *tx).await?;
    tx.commit().await?;
    Ok(enforced)
}

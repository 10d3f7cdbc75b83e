//! Records in a SQLite file that several processes may share.

mod feed;
mod migrate;
mod pepper_rows;
mod row;
mod transaction;
mod trial;

use std::{collections::BTreeMap, num::NonZeroU16};

use async_trait::async_trait;
use sqlx::{SqliteConnection, SqlitePool};

use self::{row::signed, transaction::WriteTransaction};
use super::{
    KeyQuery, KeyRecord, KeyStore, PepperRows, RecordState, RecordVersion, Revoked, StoreError,
    UnixMillis,
};
use crate::{
    feed::{Change, ChangeKind},
    kid::Kid,
    pepper::PepperVersion,
    tenant::TenantId,
    verifier::Verifier,
};

/// A store, and the feed of its changes, in the tables `apikey_cache_api_key` and
/// `apikey_cache_outbox` of a SQLite database.
///
/// The application makes the pool, and with it chooses the journal mode and the busy timeout; WAL
/// lets readers go on while another process writes. Cloning gives another handle.
///
/// A connection whose transaction failed is closed, and the pool opens another: what a full disk
/// interrupted goes on when there is room. (A database in memory ends with its connection.)
#[derive(Clone, Debug)]
pub struct SqliteKeyStore {
    pool: SqlitePool,
}

impl SqliteKeyStore {
    /// A store on this pool. The tables must exist: see [`migrate`](Self::migrate).
    #[must_use]
    pub fn new(pool: SqlitePool) -> Self {
        Self { pool }
    }

    /// Makes the tables, or brings them up to date, and notes in `apikey_cache_migrations` what it
    /// did. Several processes may do so at once; each change is made whole or not at all.
    ///
    /// Tables of the names they had before 0.1.0 (`api_key`, `outbox`) are renamed with all that
    /// is in them; end older processes on the same file first, since they look for the old names
    /// and refuse every key when they find none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Migration`] if the database cannot be written, or was migrated by a later
    /// version of this crate.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        migrate::run(&self.pool).await
    }

    async fn begin(&self) -> Result<WriteTransaction, StoreError> {
        WriteTransaction::begin(&self.pool).await.map_err(failed)
    }
}

/// Every column by its name: a statement that is kept for a connection must give the same ones when a later
/// version has added one, at which `sqlx` panics.
macro_rules! select_keys {
    ($rest:literal) => {
        concat!(
            "SELECT kid, tenant, tier, scopes, status, version, not_before, expires_at, created_at, \
             last_used, pepper_version, hash, row_mac FROM apikey_cache_api_key ",
            $rest
        )
    };
}

#[async_trait]
impl KeyStore for SqliteKeyStore {
    async fn load(&self, kid: &Kid) -> Result<Option<KeyRecord>, StoreError> {
        let row = sqlx::query(select_keys!("WHERE kid = ?1"))
            .bind(kid.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(failed)?;
        row.as_ref().map(row::record).transpose()
    }

    async fn insert(&self, record: &KeyRecord) -> Result<Change, StoreError> {
        let mut transaction = self.begin().await?;
        match insert(&mut transaction, record).await? {
            Inserted::Yes => {}
            Inserted::KidTaken => {
                transaction.rollback().await.map_err(failed)?;
                return Err(StoreError::KidTaken);
            }
        }
        let change = append_record(&mut transaction, record, record.created_at).await?;
        commit(transaction).await?;
        Ok(change)
    }

    async fn revoke(&self, kid: &Kid, at: UnixMillis) -> Result<Option<Revoked>, StoreError> {
        let mut transaction = self.begin().await?;
        let revoked = sqlx::query(
            "UPDATE apikey_cache_api_key SET status = 'revoked', version = version + 1, \
             pepper_version = NULL, hash = NULL, row_mac = NULL \
             WHERE kid = ?1 AND status = 'active' RETURNING version",
        )
        .bind(kid.as_str())
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed)?;
        if let Some(row) = revoked {
            let version = row::version(&row)?;
            let kind = ChangeKind::Record { kid: *kid, version };
            let change = append(&mut transaction, kind, at).await?;
            commit(transaction).await?;
            return Ok(Some(Revoked::Now(change)));
        }
        let row = sqlx::query("SELECT version FROM apikey_cache_api_key WHERE kid = ?1")
            .bind(kid.as_str())
            .fetch_optional(&mut *transaction)
            .await
            .map_err(failed)?;
        transaction.rollback().await.map_err(failed)?;
        row.map(|row| Ok(Revoked::Before(row::version(&row)?)))
            .transpose()
    }

    async fn rotate(
        &self,
        old: &KeyRecord,
        new: &KeyRecord,
    ) -> Result<Option<[Change; 2]>, StoreError> {
        let mut transaction = self.begin().await?;
        if !replace(&mut transaction, old).await? {
            transaction.rollback().await.map_err(failed)?;
            return Ok(None);
        }
        if let Inserted::KidTaken = insert(&mut transaction, new).await? {
            transaction.rollback().await.map_err(failed)?;
            return Err(StoreError::KidTaken);
        }
        let changes = [
            append_record(&mut transaction, old, new.created_at).await?,
            append_record(&mut transaction, new, new.created_at).await?,
        ];
        commit(transaction).await?;
        Ok(Some(changes))
    }

    async fn rehash(
        &self,
        kid: &Kid,
        version: RecordVersion,
        under: PepperVersion,
        verifier: &Verifier,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sqlx::query(
            "UPDATE apikey_cache_api_key SET pepper_version = ?1, hash = ?2, row_mac = ?3 \
             WHERE kid = ?4 AND version = ?5 AND status = 'active' AND pepper_version = ?6",
        )
        .bind(i64::from(verifier.pepper.value()))
        .bind(verifier.hash.as_bytes().as_slice())
        .bind(verifier.row_mac.as_bytes().as_slice())
        .bind(kid.as_str())
        .bind(signed(version.value()))
        .bind(i64::from(under.value()))
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        commit(transaction).await
    }

    async fn update_last_used(&self, uses: &[(Kid, UnixMillis)]) -> Result<(), StoreError> {
        // Made before the lock is taken. Nothing in a kid has to be escaped.
        let uses = uses.iter();
        let uses = uses.map(|(kid, date)| format!("[\"{}\",{}]", kid.as_str(), date.value()));
        let uses = format!("[{}]", uses.collect::<Vec<_>>().join(","));
        let mut transaction = self.begin().await?;
        sqlx::query(UPDATE_LAST_USED)
            .bind(uses)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        commit(transaction).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<Vec<KeyRecord>, StoreError> {
        let statement = match &query.tenant {
            None => select_keys!("WHERE kid > ?1 ORDER BY kid LIMIT ?2"),
            Some(_) => {
                select_keys!("WHERE kid > ?1 AND tenant = ?3 ORDER BY kid LIMIT ?2")
            }
        };
        let mut listed = sqlx::query(statement)
            .bind(query.after.as_ref().map_or("", Kid::as_str))
            .bind(i64::from(query.limit.get()));
        if let Some(tenant) = &query.tenant {
            listed = listed.bind(tenant.as_str());
        }
        let rows = listed.fetch_all(&self.pool).await;
        rows.map_err(failed)?.iter().map(row::record).collect()
    }

    async fn recently_used(
        &self,
        since: UnixMillis,
        limit: NonZeroU16,
    ) -> Result<Vec<Kid>, StoreError> {
        let rows = sqlx::query(RECENTLY_USED)
            .bind(since.value())
            .bind(i64::from(limit.get()))
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        rows.iter().map(row::kid).collect()
    }

    async fn rows_by_pepper(
        &self,
        at: UnixMillis,
    ) -> Result<BTreeMap<PepperVersion, PepperRows>, StoreError> {
        pepper_rows::count(&self.pool, at).await
    }

    async fn tenant_alike(&self, tenant: &TenantId) -> Result<Option<TenantId>, StoreError> {
        let row = sqlx::query(TENANT_ALIKE)
            .bind(tenant.as_str())
            .fetch_optional(&self.pool)
            .await
            .map_err(failed)?;
        row.as_ref().map(row::tenant).transpose()
    }

    async fn check(&self) -> Result<(), StoreError> {
        trial::run(&self.pool).await
    }
}

/// One statement for all, which looks each of them up.
const UPDATE_LAST_USED: &str = "\
    UPDATE apikey_cache_api_key SET last_used = used.at \
    FROM (SELECT value ->> 0 AS kid, max(value ->> 1) AS at FROM json_each(?1) GROUP BY 1) AS used \
    WHERE apikey_cache_api_key.kid = used.kid AND (last_used IS NULL OR last_used < used.at)";

/// From the end of an index that has the active ones alone.
const RECENTLY_USED: &str = "\
    SELECT kid FROM apikey_cache_api_key \
    WHERE status = 'active' AND last_used >= ?1 ORDER BY last_used DESC LIMIT ?2";

/// Each half ends at the first entry of an index, however many keys a tenant has.
const TENANT_ALIKE: &str = "\
    SELECT * FROM (SELECT tenant FROM apikey_cache_api_key WHERE tenant = ?1 LIMIT 1) \
    UNION ALL \
    SELECT * FROM (SELECT tenant FROM apikey_cache_api_key WHERE tenant = ?1 COLLATE NOCASE LIMIT 1) \
    LIMIT 1";

#[derive(Clone, Copy)]
enum Inserted {
    Yes,
    KidTaken,
}

async fn insert(
    connection: &mut SqliteConnection,
    record: &KeyRecord,
) -> Result<Inserted, StoreError> {
    let (status, verifier) = status(record);
    let inserted = sqlx::query(
        "INSERT INTO apikey_cache_api_key (kid, tenant, tier, scopes, status, version, \
         not_before, expires_at, created_at, last_used, pepper_version, hash, row_mac) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )
    .bind(record.kid.as_str())
    .bind(record.tenant.as_str())
    .bind(record.tier.as_str())
    .bind(record.scopes.as_str())
    .bind(status)
    .bind(signed(record.version.value()))
    .bind(record.not_before.map(UnixMillis::value))
    .bind(record.expires_at.map(UnixMillis::value))
    .bind(record.created_at.value())
    .bind(record.last_used.map(UnixMillis::value))
    .bind(verifier.map(|verifier| i64::from(verifier.pepper.value())))
    .bind(verifier.map(|verifier| verifier.hash.as_bytes().as_slice()))
    .bind(verifier.map(|verifier| verifier.row_mac.as_bytes().as_slice()))
    .execute(connection)
    .await;
    match inserted {
        Err(sqlx::Error::Database(cause)) if cause.is_unique_violation() => Ok(Inserted::KidTaken),
        inserted => inserted.map(|_| Inserted::Yes).map_err(failed),
    }
}

/// Replaces an active record of the version before, of the same pepper if there is one; whether it was there.
async fn replace(
    connection: &mut SqliteConnection,
    record: &KeyRecord,
) -> Result<bool, StoreError> {
    let (status, verifier) = status(record);
    let replaced = sqlx::query(
        "UPDATE apikey_cache_api_key SET tenant = ?2, tier = ?3, scopes = ?4, status = ?5, \
         version = ?6, not_before = ?7, expires_at = ?8, pepper_version = ?9, hash = ?10, \
         row_mac = ?11 WHERE kid = ?1 AND status = 'active' AND version = ?6 - 1 \
         AND (?9 IS NULL OR pepper_version = ?9)",
    )
    .bind(record.kid.as_str())
    .bind(record.tenant.as_str())
    .bind(record.tier.as_str())
    .bind(record.scopes.as_str())
    .bind(status)
    .bind(signed(record.version.value()))
    .bind(record.not_before.map(UnixMillis::value))
    .bind(record.expires_at.map(UnixMillis::value))
    .bind(verifier.map(|verifier| i64::from(verifier.pepper.value())))
    .bind(verifier.map(|verifier| verifier.hash.as_bytes().as_slice()))
    .bind(verifier.map(|verifier| verifier.row_mac.as_bytes().as_slice()))
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(replaced.rows_affected() > 0)
}

fn status(record: &KeyRecord) -> (&'static str, Option<&Verifier>) {
    match &record.state {
        RecordState::Active(verifier) => ("active", Some(verifier)),
        RecordState::Revoked => ("revoked", None),
    }
}

async fn append_record(
    connection: &mut SqliteConnection,
    record: &KeyRecord,
    at: UnixMillis,
) -> Result<Change, StoreError> {
    let kind = ChangeKind::Record {
        kid: record.kid,
        version: record.version,
    };
    append(connection, kind, at).await
}

/// Appends a change to the outbox, in the transaction that makes it.
async fn append(
    connection: &mut SqliteConnection,
    kind: ChangeKind,
    at: UnixMillis,
) -> Result<Change, StoreError> {
    let row::ChangeColumns {
        kind: name,
        kid,
        version,
        tenant,
    } = row::change_columns(&kind);
    let row = sqlx::query(
        "INSERT INTO apikey_cache_outbox (kind, kid, version, tenant, at) \
         VALUES (?1, ?2, ?3, ?4, ?5) RETURNING seq",
    )
    .bind(name)
    .bind(kid)
    .bind(version.map(|version| signed(version.value())))
    .bind(tenant)
    .bind(at.value())
    .fetch_one(connection)
    .await
    .map_err(failed)?;
    let seq = row::seq(&row)?;
    Ok(Change { seq, kind })
}

async fn commit(transaction: WriteTransaction) -> Result<(), StoreError> {
    transaction.commit().await.map_err(failed)
}

fn failed(error: sqlx::Error) -> StoreError {
    /// `SQLITE_CORRUPT` and `SQLITE_NOTADB`; their extended codes share the low byte.
    const DAMAGED: [i32; 2] = [11, 26];
    let code = error
        .as_database_error()
        .and_then(|error| error.code()?.parse::<i32>().ok());
    if code.is_some_and(|code| DAMAGED.contains(&(code & 0xff))) {
        StoreError::Corrupt(error.into())
    } else {
        StoreError::unavailable(error)
    }
}

#[cfg(test)]
mod tests;

//! Records in a SQLite file that several processes may share.

mod row;

use std::num::NonZeroU16;

use async_trait::async_trait;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::{SqlSafeStr, Sqlite, SqlitePool, Transaction};

use self::row::signed;
use super::{KeyQuery, KeyStore, OUTBOX_RETENTION, OutboxPage, OutboxSeq, Revoked, StoreError};
use crate::clock::UnixMillis;
use crate::kid::Kid;
use crate::pepper::PepperVersion;
use crate::record::{KeyRecord, RecordState, RecordVersion};
use crate::verifier::Verifier;

/// A store in the tables `api_key` and `outbox` of a SQLite database.
///
/// The application makes the pool, and with it chooses the journal mode and the busy timeout; WAL
/// lets readers go on while another process writes.
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

    /// Makes the tables, or brings them up to date. Several processes may do so at once.
    ///
    /// # Errors
    ///
    /// If the database cannot be written, or was migrated by a later version of this crate.
    pub async fn migrate(&self) -> Result<(), MigrateError> {
        let mut migrator = Migrator::with_migrations(vec![Migration::new(
            1,
            "api key".into(),
            MigrationType::Simple,
            include_str!("../../migrations/sqlite/0001_api_key.sql").into_sql_str(),
            false,
        )]);
        migrator.dangerous_set_table_name("apikey_cache_migrations");
        // Inside one write transaction: the second process finds the work done.
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        // `Migrator::run` on a connection makes a future that cannot be spawned.
        migrator.run_direct(None, &mut *transaction, false).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn begin(&self) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        self.pool.begin_with("BEGIN IMMEDIATE").await
    }
}

#[async_trait]
impl KeyStore for SqliteKeyStore {
    async fn load(&self, kid: &Kid) -> Result<Option<KeyRecord>, StoreError> {
        let row = sqlx::query("SELECT * FROM api_key WHERE kid = ?1")
            .bind(kid.as_str())
            .fetch_optional(&self.pool)
            .await?;
        row.as_ref().map(row::record).transpose()
    }

    async fn insert(&self, record: &KeyRecord) -> Result<(), StoreError> {
        let (status, verifier) = match &record.state {
            RecordState::Active(verifier) => ("active", Some(verifier)),
            RecordState::Revoked => ("revoked", None),
        };
        let mut transaction = self.begin().await?;
        sqlx::query(
            "INSERT INTO api_key (kid, tenant, tier, scopes, status, version, not_before, \
             expires_at, created_at, last_used, pepper_version, hash, row_mac) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )
        .bind(record.kid.as_str())
        .bind(record.tenant.as_str())
        .bind(record.tier.as_str())
        .bind(record.scopes.as_str())
        .bind(status)
        .bind(signed(record.version.as_u64()))
        .bind(record.not_before.map(UnixMillis::as_i64))
        .bind(record.expires_at.map(UnixMillis::as_i64))
        .bind(record.created_at.as_i64())
        .bind(record.last_used.map(UnixMillis::as_i64))
        .bind(verifier.map(|verifier| i64::from(u16::from(verifier.pepper))))
        .bind(verifier.map(|verifier| verifier.hash.as_bytes().as_slice()))
        .bind(verifier.map(|verifier| verifier.row_mac.as_bytes().as_slice()))
        .execute(&mut *transaction)
        .await
        .map_err(|error| match &error {
            sqlx::Error::Database(cause) if cause.is_unique_violation() => StoreError::KidTaken,
            _ => error.into(),
        })?;
        append(
            &mut transaction,
            &record.kid,
            record.version,
            record.created_at,
        )
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn revoke(&self, kid: &Kid, at: UnixMillis) -> Result<Option<Revoked>, StoreError> {
        let mut transaction = self.begin().await?;
        let revoked = sqlx::query(
            "UPDATE api_key SET status = 'revoked', version = version + 1, \
             pepper_version = NULL, hash = NULL, row_mac = NULL \
             WHERE kid = ?1 AND status = 'active' RETURNING version",
        )
        .bind(kid.as_str())
        .fetch_optional(&mut *transaction)
        .await?;
        if let Some(row) = revoked {
            let version = row::version(&row)?;
            append(&mut transaction, kid, version, at).await?;
            transaction.commit().await?;
            return Ok(Some(Revoked::Now(version)));
        }
        let row = sqlx::query("SELECT version FROM api_key WHERE kid = ?1")
            .bind(kid.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        row.map(|row| Ok(Revoked::Before(row::version(&row)?)))
            .transpose()
    }

    async fn rehash(
        &self,
        kid: &Kid,
        version: RecordVersion,
        under: PepperVersion,
        verifier: &Verifier,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE api_key SET pepper_version = ?1, hash = ?2, row_mac = ?3 \
             WHERE kid = ?4 AND version = ?5 AND status = 'active' AND pepper_version = ?6",
        )
        .bind(i64::from(u16::from(verifier.pepper)))
        .bind(verifier.hash.as_bytes().as_slice())
        .bind(verifier.row_mac.as_bytes().as_slice())
        .bind(kid.as_str())
        .bind(signed(version.as_u64()))
        .bind(i64::from(u16::from(under)))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    async fn touch(&self, uses: &[(Kid, UnixMillis)]) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for (kid, date) in uses {
            sqlx::query(
                "UPDATE api_key SET last_used = ?1 \
                 WHERE kid = ?2 AND (last_used IS NULL OR last_used < ?1)",
            )
            .bind(date.as_i64())
            .bind(kid.as_str())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    async fn list(&self, query: &KeyQuery) -> Result<Vec<KeyRecord>, StoreError> {
        let statement = match &query.tenant {
            None => "SELECT * FROM api_key WHERE kid > ?1 ORDER BY kid LIMIT ?2",
            Some(_) => "SELECT * FROM api_key WHERE kid > ?1 AND tenant = ?3 ORDER BY kid LIMIT ?2",
        };
        let mut listed = sqlx::query(statement)
            .bind(query.after.as_ref().map_or("", Kid::as_str))
            .bind(i64::from(query.limit.get()));
        if let Some(tenant) = &query.tenant {
            listed = listed.bind(tenant.as_str());
        }
        listed
            .fetch_all(&self.pool)
            .await?
            .iter()
            .map(row::record)
            .collect()
    }

    async fn changes_after(
        &self,
        seq: OutboxSeq,
        limit: NonZeroU16,
    ) -> Result<OutboxPage, StoreError> {
        // The head first: a change up to it that the second query lacks was dropped.
        let head = sqlx::query("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'")
            .fetch_optional(&self.pool)
            .await?;
        let rows = sqlx::query(
            "SELECT seq, kid, version FROM outbox WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        )
        .bind(signed(seq.as_u64()))
        .bind(i64::from(limit.get()))
        .fetch_all(&self.pool)
        .await?;
        let changes = rows
            .iter()
            .map(row::change)
            .collect::<Result<Vec<_>, _>>()?;
        let head = head.as_ref().map(row::seq).transpose()?.unwrap_or_default();
        let last = changes.last().map_or(head, |change| change.seq);
        Ok(OutboxPage {
            head: head.max(last),
            changes,
        })
    }
}

/// Appends a change, and drops those that are older than the outbox keeps.
async fn append(
    transaction: &mut Transaction<'static, Sqlite>,
    kid: &Kid,
    version: RecordVersion,
    at: UnixMillis,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO outbox (kid, version, at) VALUES (?1, ?2, ?3)")
        .bind(kid.as_str())
        .bind(signed(version.as_u64()))
        .bind(at.as_i64())
        .execute(&mut **transaction)
        .await?;
    sqlx::query("DELETE FROM outbox WHERE at < ?1")
        .bind(at.before(OUTBOX_RETENTION).as_i64())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(Some(Box::new(error)))
    }
}

//! What is done to records. Each change of what a key is allowed is appended to the outbox in its transaction.

use sqlx::{Encode, Executor, IntoArguments, Type};

use super::{Dialect, Tables, row, signed};
use crate::{
    feed::{Change, ChangeKind},
    kid::Kid,
    pepper::PepperVersion,
    store::{KeyRecord, RecordState, RecordVersion, Revoked, StoreError, UnixMillis},
    verifier::Verifier,
};

impl<DB: Dialect> Tables<'_, DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    for<'q> Option<i64>: Encode<'q, DB>,
    for<'q> String: Encode<'q, DB> + Type<DB>,
    for<'q> Option<String>: Encode<'q, DB>,
    for<'q> Vec<u8>: Encode<'q, DB> + Type<DB>,
    for<'q> Option<Vec<u8>>: Encode<'q, DB>,
    DB::Arguments: IntoArguments<DB>,
{
    pub(in crate::store) async fn insert(self, record: &KeyRecord) -> Result<Change, StoreError> {
        let mut transaction = DB::begin(self.0).await?;
        if !Self::add(&mut transaction, record).await? {
            DB::rollback(transaction).await?;
            return Err(StoreError::KidTaken);
        }
        let change = Self::append_record(&mut transaction, record, record.created_at).await?;
        DB::commit(transaction).await?;
        Ok(change)
    }

    pub(in crate::store) async fn revoke(
        self,
        kid: &Kid,
        at: UnixMillis,
    ) -> Result<Option<Revoked>, StoreError> {
        let mut transaction = DB::begin(self.0).await?;
        let revoke = "UPDATE apikey_cache_api_key SET status = 'revoked', version = version + 1, \
                      pepper_version = NULL, hash = NULL, row_mac = NULL \
                      WHERE kid = $1 AND status = 'active' RETURNING version";
        let revoke = sqlx::query::<DB>(revoke).bind(kid.to_string());
        let revoked = revoke.fetch_optional(&mut *transaction).await;
        if let Some(row) = revoked.map_err(DB::failed)? {
            let version = row::version(&row)?;
            let kind = ChangeKind::Record { kid: *kid, version };
            let change = Self::append(&mut transaction, kind, at).await?;
            DB::commit(transaction).await?;
            return Ok(Some(Revoked::Now(change)));
        }
        let find = "SELECT version FROM apikey_cache_api_key WHERE kid = $1";
        let find = sqlx::query::<DB>(find).bind(kid.to_string());
        let found = find.fetch_optional(&mut *transaction).await;
        let found = found.map_err(DB::failed)?;
        DB::rollback(transaction).await?;
        let version = found.as_ref().map(row::version).transpose()?;
        Ok(version.map(Revoked::Before))
    }

    pub(in crate::store) async fn rotate(
        self,
        old: &KeyRecord,
        new: &KeyRecord,
    ) -> Result<Option<[Change; 2]>, StoreError> {
        let mut transaction = DB::begin(self.0).await?;
        if !Self::replace(&mut transaction, old).await? {
            DB::rollback(transaction).await?;
            return Ok(None);
        }
        if !Self::add(&mut transaction, new).await? {
            DB::rollback(transaction).await?;
            return Err(StoreError::KidTaken);
        }
        let changes = [
            Self::append_record(&mut transaction, old, new.created_at).await?,
            Self::append_record(&mut transaction, new, new.created_at).await?,
        ];
        DB::commit(transaction).await?;
        Ok(Some(changes))
    }

    pub(in crate::store) async fn rehash(
        self,
        kid: &Kid,
        version: RecordVersion,
        under: PepperVersion,
        verifier: &Verifier,
    ) -> Result<(), StoreError> {
        let mut transaction = DB::begin(self.0).await?;
        let rehash = "UPDATE apikey_cache_api_key SET pepper_version = $1, hash = $2, row_mac = $3 \
                      WHERE kid = $4 AND version = $5 AND status = 'active' AND pepper_version = $6";
        let rehash = sqlx::query::<DB>(rehash)
            .bind(i64::from(verifier.pepper.value()))
            .bind(verifier.hash.as_bytes().to_vec())
            .bind(verifier.row_mac.as_bytes().to_vec())
            .bind(kid.to_string())
            .bind(signed(version.value()))
            .bind(i64::from(under.value()));
        let rehashed = rehash.execute(&mut *transaction).await;
        rehashed.map_err(DB::failed)?;
        DB::commit(transaction).await
    }

    /// Adds a record; whether there was none of that kid.
    async fn add(connection: &mut DB::Connection, record: &KeyRecord) -> Result<bool, StoreError> {
        let (status, verifier) = status(record);
        let add = "INSERT INTO apikey_cache_api_key (kid, tenant, tier, scopes, status, version, \
                   not_before, expires_at, created_at, last_used, pepper_version, hash, row_mac) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
                   ON CONFLICT (kid) DO NOTHING";
        let add = sqlx::query::<DB>(add)
            .bind(record.kid.to_string())
            .bind(record.tenant.to_string())
            .bind(record.tier.to_string())
            .bind(record.scopes.to_string())
            .bind(status.to_owned())
            .bind(signed(record.version.value()))
            .bind(record.not_before.map(UnixMillis::value))
            .bind(record.expires_at.map(UnixMillis::value))
            .bind(record.created_at.value())
            .bind(record.last_used.map(UnixMillis::value))
            .bind(verifier.map(|verifier| i64::from(verifier.pepper.value())))
            .bind(verifier.map(|verifier| verifier.hash.as_bytes().to_vec()))
            .bind(verifier.map(|verifier| verifier.row_mac.as_bytes().to_vec()));
        let added = add.execute(connection).await.map_err(DB::failed)?;
        Ok(DB::changed(&added) > 0)
    }

    /// Replaces an active record of the version before, of the same pepper if there is one; whether it was there.
    async fn replace(
        connection: &mut DB::Connection,
        record: &KeyRecord,
    ) -> Result<bool, StoreError> {
        let (status, verifier) = status(record);
        let replace = "UPDATE apikey_cache_api_key SET tenant = $2, tier = $3, scopes = $4, status = $5, \
                       version = $6, not_before = $7, expires_at = $8, pepper_version = $9, hash = $10, \
                       row_mac = $11 WHERE kid = $1 AND status = 'active' AND version = $6 - 1 \
                       AND ($9 IS NULL OR pepper_version = $9)";
        let replace = sqlx::query::<DB>(replace)
            .bind(record.kid.to_string())
            .bind(record.tenant.to_string())
            .bind(record.tier.to_string())
            .bind(record.scopes.to_string())
            .bind(status.to_owned())
            .bind(signed(record.version.value()))
            .bind(record.not_before.map(UnixMillis::value))
            .bind(record.expires_at.map(UnixMillis::value))
            .bind(verifier.map(|verifier| i64::from(verifier.pepper.value())))
            .bind(verifier.map(|verifier| verifier.hash.as_bytes().to_vec()))
            .bind(verifier.map(|verifier| verifier.row_mac.as_bytes().to_vec()));
        let replaced = replace.execute(connection).await.map_err(DB::failed)?;
        Ok(DB::changed(&replaced) > 0)
    }

    async fn append_record(
        connection: &mut DB::Connection,
        record: &KeyRecord,
        at: UnixMillis,
    ) -> Result<Change, StoreError> {
        let kind = ChangeKind::Record {
            kid: record.kid,
            version: record.version,
        };
        Self::append(connection, kind, at).await
    }

    /// Appends a change to the outbox, in the transaction that makes it.
    pub(super) async fn append(
        connection: &mut DB::Connection,
        kind: ChangeKind,
        at: UnixMillis,
    ) -> Result<Change, StoreError> {
        let row::ChangeColumns {
            kind: name,
            kid,
            version,
            tenant,
        } = row::change_columns(&kind);
        let append = sqlx::query::<DB>(DB::APPEND)
            .bind(name.to_owned())
            .bind(kid.map(str::to_owned))
            .bind(version.map(|version| signed(version.value())))
            .bind(tenant.map(str::to_owned))
            .bind(at.value());
        let row = append.fetch_one(connection).await.map_err(DB::failed)?;
        let seq = row::seq(&row)?;
        Ok(Change { seq, kind })
    }
}

fn status(record: &KeyRecord) -> (&'static str, Option<&Verifier>) {
    match &record.state {
        RecordState::Active(verifier) => ("active", Some(verifier)),
        RecordState::Revoked => ("revoked", None),
    }
}

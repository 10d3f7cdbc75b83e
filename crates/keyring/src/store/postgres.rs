//! A store in PostgreSQL.

mod migrate;
mod transaction;
mod trial;
mod write_transaction;

use std::time::SystemTime;

use async_trait::async_trait;
use sqlx::{PgConnection, PgPool, Postgres, QueryBuilder, postgres::PgArguments, query::Query};

use self::transaction::{begin, commit, lock_keys, lock_keys_of, lock_tenant, once_more};
use super::{
    ChangeError, DekStore, InsertError, KeyQuery, LoadedKeys, StoreError, StoredKey,
    row::{load_all, load_one, milliseconds, select_keys},
};
use crate::{KeyId, TenantId, Transition, kek::WrappedKey};

/// A store in PostgreSQL 15 or later, in the tables `keyring_data_key`, `keyring_erased_tenant` and
/// `keyring_change` of the schema that the connections of the pool find first.
///
/// The pool, with its timeouts and TLS, is the application's. Adding a key and erasing a tenant take an advisory
/// lock of that tenant for their transactions, so that a key is not added while the tenant is being erased; what
/// changes keys that are there locks their rows, by their ids, before it changes any. Whatever the isolation level
/// of the pool is, changes are made under `READ COMMITTED`, and once more if the server breaks one off.
///
/// # Security
/// Destroying a key overwrites its wrapped bytes in the table. They stay in dead rows until the table is
/// vacuumed, and in the write-ahead log and its archives.
#[derive(Debug, Clone)]
pub struct PostgresDekStore {
    pool: PgPool,
}

impl PostgresDekStore {
    /// A store on a pool. Call [`migrate`](Self::migrate) before the first use.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Makes the tables, or brings them up to date; remembers what it did in `keyring_migrations`.
    /// Any number of processes may do it at once.
    ///
    /// # Errors
    /// [`StoreError::Migration`] when the database refuses; nothing has changed then.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let mut transaction = begin(&self.pool).await?;
        let migrated = migrate::run(&mut transaction).await;
        migrated.map_err(|error| StoreError::Migration(error.into()))?;
        commit(transaction).await
    }

    async fn fetch(&self, mut select: QueryBuilder<Postgres>) -> Result<LoadedKeys, StoreError> {
        let select = select.build();
        let rows = select.fetch_all(&self.pool).await.map_err(failed)?;
        load_all(&rows)
    }

    async fn try_insert(&self, key: &StoredKey) -> Result<(), InsertError> {
        let mut transaction = begin(&self.pool).await?;
        lock_tenant(&mut transaction, key.tenant()).await?;
        let refused = insert(&mut transaction, key).await?;
        if let Some(refused) = refused {
            transaction.rollback().await.map_err(failed)?;
            return Err(refused);
        }
        Ok(commit(transaction).await?)
    }

    async fn try_promote(&self, old: KeyId, new: KeyId, at: SystemTime) -> Result<(), ChangeError> {
        let mut transaction = begin(&self.pool).await?;
        lock_keys(&mut transaction, &[old, new]).await?;
        let demote = "UPDATE keyring_data_key SET state = 'decrypt-only', state_since = $2
                      WHERE key_id = $1 AND state = 'primary'";
        let promote = "UPDATE keyring_data_key SET state = 'primary', state_since = $2
                       WHERE key_id = $3 AND key_id <> $1 AND state IN ('pending', 'decrypt-only')
                       AND (tenant, purpose) = (SELECT tenant, purpose FROM keyring_data_key
                                                WHERE key_id = $1)";
        let demote = sqlx::query(demote).bind(id(old)).bind(milliseconds(at));
        let promote = sqlx::query(promote).bind(id(old)).bind(milliseconds(at));
        for step in [demote, promote.bind(id(new))] {
            let changed = step.execute(&mut *transaction).await.map_err(failed)?;
            if changed.rows_affected() == 0 {
                transaction.rollback().await.map_err(failed)?;
                return Err(ChangeError::Conflict);
            }
        }
        Ok(commit(transaction).await?)
    }

    async fn try_erase(&self, tenant: &TenantId, at: SystemTime) -> Result<(), StoreError> {
        let mut transaction = begin(&self.pool).await?;
        lock_tenant(&mut transaction, tenant).await?;
        sqlx::query(
            "INSERT INTO keyring_erased_tenant (tenant) VALUES ($1) ON CONFLICT DO NOTHING",
        )
        .bind(tenant.as_str())
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        lock_keys_of(&mut transaction, tenant).await?;
        let destroy =
            "UPDATE keyring_data_key SET state = 'destroyed', wrapped = NULL, state_since = $2
                       WHERE tenant = $1 AND state <> 'destroyed'";
        sqlx::query(destroy)
            .bind(tenant.as_str())
            .bind(milliseconds(at))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        commit(transaction).await
    }

    /// A statement that changes one key, or none if it is not what the statement says.
    async fn try_update(
        &self,
        update: Query<'_, Postgres, PgArguments>,
    ) -> Result<(), ChangeError> {
        let mut transaction = begin(&self.pool).await?;
        let changed = update.execute(&mut *transaction).await.map_err(failed)?;
        commit(transaction).await?;
        match changed.rows_affected() {
            0 => Err(ChangeError::Conflict),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl DekStore for PostgresDekStore {
    async fn insert(&self, key: &StoredKey) -> Result<(), InsertError> {
        once_more(|| self.try_insert(key)).await
    }

    async fn load(&self, key: KeyId) -> Result<Option<StoredKey>, StoreError> {
        let row = sqlx::query(select_keys!("WHERE key_id = $1"))
            .bind(id(key))
            .fetch_optional(&self.pool)
            .await
            .map_err(failed)?;
        load_one(row.as_ref())
    }

    async fn load_tenant(&self, tenant: &TenantId) -> Result<LoadedKeys, StoreError> {
        let mut select = QueryBuilder::new(select_keys!("WHERE tenant = "));
        select.push_bind(tenant.as_str()).push(" ORDER BY key_id");
        self.fetch(select).await
    }

    async fn load_many(&self, ids: &[KeyId]) -> Result<LoadedKeys, StoreError> {
        let ids: Vec<i64> = ids.iter().copied().map(id).collect();
        let mut select = QueryBuilder::new(select_keys!("WHERE key_id = ANY("));
        select.push_bind(ids).push(")");
        self.fetch(select).await
    }

    async fn list(&self, query: &KeyQuery) -> Result<LoadedKeys, StoreError> {
        let mut select = QueryBuilder::new(select_keys!("WHERE key_id > "));
        select.push_bind(query.begins_after().map_or(-1, id));
        if let Some(tenant) = query.tenant() {
            select.push(" AND tenant = ").push_bind(tenant.as_str());
        }
        if let Some(purpose) = query.purpose() {
            select.push(" AND purpose = ").push_bind(purpose.as_str());
        }
        if !query.states().is_empty() {
            let states: Vec<&str> = query.states().iter().map(|state| state.as_str()).collect();
            select.push(" AND state = ANY(").push_bind(states).push(")");
        }
        select.push(" ORDER BY key_id LIMIT ");
        select.push_bind(i64::from(query.limit().get()));
        self.fetch(select).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        trial::run(&self.pool).await
    }

    async fn changes(&self) -> Result<Option<u64>, StoreError> {
        let number: i64 = sqlx::query_scalar("SELECT number FROM keyring_change")
            .fetch_one(&self.pool)
            .await
            .map_err(failed)?;
        Ok(Some(number.cast_unsigned()))
    }

    async fn promote(&self, old: KeyId, new: KeyId, at: SystemTime) -> Result<(), ChangeError> {
        once_more(|| self.try_promote(old, new, at)).await
    }

    async fn change(
        &self,
        key: KeyId,
        step: Transition,
        at: SystemTime,
    ) -> Result<(), ChangeError> {
        let change = "UPDATE keyring_data_key SET state = $1, state_since = $2,
                      wrapped = CASE $1 WHEN 'destroyed' THEN NULL ELSE wrapped END
                      WHERE key_id = $3 AND state = $4";
        once_more(|| {
            let change = sqlx::query(change)
                .bind(step.to().as_str())
                .bind(milliseconds(at))
                .bind(id(key))
                .bind(step.from().as_str());
            self.try_update(change)
        })
        .await
    }

    async fn rewrap(
        &self,
        key: KeyId,
        old: &WrappedKey,
        new: &WrappedKey,
    ) -> Result<(), ChangeError> {
        let rewrap = "UPDATE keyring_data_key SET wrapped = $1 WHERE key_id = $2 AND wrapped = $3";
        once_more(|| {
            let rewrap = sqlx::query(rewrap)
                .bind(new.as_bytes())
                .bind(id(key))
                .bind(old.as_bytes());
            self.try_update(rewrap)
        })
        .await
    }

    async fn erase_tenant(&self, tenant: &TenantId, at: SystemTime) -> Result<(), StoreError> {
        once_more(|| self.try_erase(tenant, at)).await
    }
}

fn id(key: KeyId) -> i64 {
    i64::from(key.value())
}

/// Adds a key, unless what is there refuses it.
async fn insert(
    connection: &mut PgConnection,
    key: &StoredKey,
) -> Result<Option<InsertError>, StoreError> {
    let (erased, id_taken): (bool, bool) = sqlx::query_as(
        "SELECT EXISTS (SELECT 1 FROM keyring_erased_tenant WHERE tenant = $1),
                EXISTS (SELECT 1 FROM keyring_data_key WHERE key_id = $2)",
    )
    .bind(key.tenant().as_str())
    .bind(id(key.id()))
    .fetch_one(&mut *connection)
    .await
    .map_err(failed)?;
    if erased {
        return Ok(Some(InsertError::TenantErased));
    }
    let inserted = sqlx::query(
        "INSERT INTO keyring_data_key
             (key_id, tenant, purpose, wrapped, state, created_at, state_since)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
    )
    .bind(id(key.id()))
    .bind(key.tenant().as_str())
    .bind(key.purpose().as_str())
    .bind(key.wrapped().map(WrappedKey::as_bytes))
    .bind(key.state().as_str())
    .bind(milliseconds(key.created_at()))
    .bind(milliseconds(key.state_since()))
    .execute(&mut *connection)
    .await
    .map_err(failed)?;
    // Another tenant may have taken the id since it was looked for; then there is another key to make
    // as well.
    Ok(match (inserted.rows_affected(), id_taken) {
        (1, _) => None,
        (_, true) => Some(InsertError::IdTaken),
        (_, false) => Some(InsertError::StateTaken),
    })
}

fn failed(error: sqlx::Error) -> StoreError {
    /// `data_corrupted` and `index_corrupted`.
    const DAMAGED: [&str; 2] = ["XX001", "XX002"];
    let code = error.as_database_error().and_then(|error| error.code());
    if code.is_some_and(|code| DAMAGED.contains(&&*code)) {
        StoreError::Corrupt(error.into())
    } else {
        StoreError::Unavailable(error.into())
    }
}

//! A store in SQLite.

mod insert;
mod transaction;
mod trial;

use std::time::SystemTime;

use async_trait::async_trait;
use sqlx::{
    QueryBuilder, SqlSafeStr as _, Sqlite, SqliteConnection, SqlitePool,
    migrate::{Migrate as _, MigrateError, Migration, MigrationType, Migrator},
};

use self::transaction::WriteTransaction;
use super::{
    ChangeError, DekStore, InsertError, KeyQuery, LoadedKeys, StoreError, StoredKey,
    row::{load_all, load_one, milliseconds, select_keys},
};
use crate::{KeyId, TenantId, Transition, kek::WrappedKey};

/// A store in SQLite, in the tables `keyring_data_key`, `keyring_erased_tenant` and `keyring_change`.
///
/// Several processes may share the file; the pool, with its busy timeout, is the application's.
/// A connection whose transaction failed is closed, and the pool opens another: what a full disk
/// interrupted goes on when there is room. (A database in memory ends with its connection.)
///
/// # Security
/// Destroying a key overwrites its wrapped bytes in the table. They stay in free pages and in the
/// write-ahead log unless the pool sets `PRAGMA secure_delete = ON` and the log is truncated by a
/// checkpoint. Also then SQLite may leave a copy where it had moved the row from, until a `VACUUM`.
#[derive(Debug, Clone)]
pub struct SqliteDekStore {
    pool: SqlitePool,
}

impl SqliteDekStore {
    /// A store on a pool. Call [`migrate`](Self::migrate) before the first use.
    #[must_use]
    pub const fn new(pool: SqlitePool) -> Self {
        Self { pool }
    }

    /// Makes the tables, or brings them up to date; remembers what it did in `keyring_migrations`.
    /// Any number of processes may do it at once.
    ///
    /// Tables of versions before the prefix (`data_key`, `data_key_erased_tenant`) are renamed, with
    /// every key in them. Processes of such a version lose their tables at that moment, and refuse
    /// to start on the database afterwards.
    ///
    /// # Errors
    /// [`StoreError::Migration`] when the database refuses; nothing has changed then.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        // SQLite has no advisory lock: the write lock of one surrounding transaction makes
        // processes take turns. `Migrator::run` would do the same, with a future that is not `Send`.
        let mut transaction = self.begin().await?;
        migrate(&mut transaction)
            .await
            .map_err(|error| StoreError::Migration(error.into()))?;
        commit(transaction).await
    }

    async fn fetch(&self, mut select: QueryBuilder<Sqlite>) -> Result<LoadedKeys, StoreError> {
        let select = select.build();
        let rows = select.fetch_all(&self.pool).await.map_err(failed)?;
        load_all(&rows)
    }

    async fn begin(&self) -> Result<WriteTransaction, StoreError> {
        WriteTransaction::begin(&self.pool).await.map_err(failed)
    }
}

#[async_trait]
impl DekStore for SqliteDekStore {
    async fn insert(&self, key: &StoredKey) -> Result<(), InsertError> {
        self.insert_one(key).await
    }

    async fn load(&self, id: KeyId) -> Result<Option<StoredKey>, StoreError> {
        let row = sqlx::query(select_keys!("WHERE key_id = ?"))
            .bind(id.value())
            .fetch_optional(&self.pool)
            .await
            .map_err(failed)?;
        load_one(row.as_ref())
    }

    async fn load_tenant(&self, tenant: &TenantId) -> Result<LoadedKeys, StoreError> {
        let rows = sqlx::query(select_keys!("WHERE tenant = ? ORDER BY key_id"))
            .bind(tenant.as_str())
            .fetch_all(&self.pool)
            .await
            .map_err(failed)?;
        load_all(&rows)
    }

    async fn load_many(&self, ids: &[KeyId]) -> Result<LoadedKeys, StoreError> {
        let mut loaded = LoadedKeys::default();
        for ids in ids.chunks(IDS_AT_A_TIME) {
            let mut select = QueryBuilder::<Sqlite>::new(SELECT_AFTER);
            select.push_bind(-1_i64).push(" AND key_id IN (");
            let mut list = select.separated(", ");
            for id in ids {
                list.push_bind(id.value());
            }
            select.push(")");
            let LoadedKeys { keys, damaged } = self.fetch(select).await?;
            loaded.keys.extend(keys);
            loaded.damaged.extend(damaged);
        }
        Ok(loaded)
    }

    async fn list(&self, query: &KeyQuery) -> Result<LoadedKeys, StoreError> {
        let after = query.begins_after();
        let mut select = QueryBuilder::<Sqlite>::new(SELECT_AFTER);
        select.push_bind(after.map_or(-1, |id| i64::from(id.value())));
        if let Some(tenant) = query.tenant() {
            select.push(" AND tenant = ").push_bind(tenant.as_str());
        }
        if let Some(purpose) = query.purpose() {
            select.push(" AND purpose = ").push_bind(purpose.as_str());
        }
        if !query.states().is_empty() {
            select.push(" AND state IN (");
            let mut list = select.separated(", ");
            for state in query.states() {
                list.push_bind(state.as_str());
            }
            select.push(")");
        }
        select.push(" ORDER BY key_id LIMIT ");
        select.push_bind(query.limit().get());
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
        let mut transaction = self.begin().await?;
        let demote = "UPDATE keyring_data_key SET state = 'decrypt-only', state_since = ?
                      WHERE key_id = ? AND state = 'primary'";
        let demoted = sqlx::query(demote)
            .bind(milliseconds(at))
            .bind(old.value())
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        if demoted.rows_affected() == 0 {
            transaction.rollback().await.map_err(failed)?;
            return Err(ChangeError::Conflict);
        }
        let promote = "UPDATE keyring_data_key SET state = 'primary', state_since = ?3
                       WHERE key_id = ?1 AND key_id <> ?2 AND state IN ('pending', 'decrypt-only')
                       AND (tenant, purpose) = (SELECT tenant, purpose FROM keyring_data_key
                                                WHERE key_id = ?2)";
        let promoted = sqlx::query(promote)
            .bind(new.value())
            .bind(old.value())
            .bind(milliseconds(at))
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        if promoted.rows_affected() == 0 {
            transaction.rollback().await.map_err(failed)?;
            return Err(ChangeError::Conflict);
        }
        Ok(commit(transaction).await?)
    }

    async fn change(&self, id: KeyId, step: Transition, at: SystemTime) -> Result<(), ChangeError> {
        let change = "UPDATE keyring_data_key
                      SET state = ?1, state_since = ?4, wrapped = CASE ?1 WHEN 'destroyed' THEN NULL ELSE wrapped END
                      WHERE key_id = ?2 AND state = ?3";
        let change = sqlx::query(change)
            .bind(step.to().as_str())
            .bind(id.value())
            .bind(step.from().as_str())
            .bind(milliseconds(at));
        let mut transaction = self.begin().await?;
        let changed = change.execute(&mut *transaction).await.map_err(failed)?;
        commit(transaction).await?;
        match changed.rows_affected() {
            0 => Err(ChangeError::Conflict),
            _ => Ok(()),
        }
    }

    async fn rewrap(
        &self,
        id: KeyId,
        old: &WrappedKey,
        new: &WrappedKey,
    ) -> Result<(), ChangeError> {
        let rewrap =
            sqlx::query("UPDATE keyring_data_key SET wrapped = ? WHERE key_id = ? AND wrapped = ?")
                .bind(new.as_bytes())
                .bind(id.value())
                .bind(old.as_bytes());
        let mut transaction = self.begin().await?;
        let changed = rewrap.execute(&mut *transaction).await.map_err(failed)?;
        commit(transaction).await?;
        match changed.rows_affected() {
            0 => Err(ChangeError::Conflict),
            _ => Ok(()),
        }
    }

    async fn erase_tenant(&self, tenant: &TenantId, at: SystemTime) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        for statement in [
            "INSERT INTO keyring_erased_tenant (tenant) VALUES (?1) ON CONFLICT DO NOTHING",
            "UPDATE keyring_data_key SET state = 'destroyed', wrapped = NULL, state_since = ?2
             WHERE tenant = ?1 AND state <> 'destroyed'",
        ] {
            sqlx::query(statement)
                .bind(tenant.as_str())
                .bind(milliseconds(at))
                .execute(&mut *transaction)
                .await
                .map_err(failed)?;
        }
        commit(transaction).await
    }
}

const SELECT_AFTER: &str = select_keys!("WHERE key_id > ");

/// Far below the number of parameters that a statement may have.
const IDS_AT_A_TIME: usize = 500;

const MIGRATIONS_TABLE: &str = "keyring_migrations";

/// Migrations need no transaction of their own.
const IN_TRANSACTION: bool = true;

/// In order. What was applied somewhere is never changed.
fn migrations() -> [Migration; 4] {
    let migration = |version, description: &'static str, sql: &'static str| {
        let simple = MigrationType::Simple;
        Migration::new(
            version,
            description.into(),
            simple,
            sql.into_sql_str(),
            IN_TRANSACTION,
        )
    };
    let [data_key, change, state_since, of_others] = [
        include_str!("../../migrations/sqlite/0001_data_key.sql"),
        include_str!("../../migrations/sqlite/0002_change.sql"),
        include_str!("../../migrations/sqlite/0003_state_since.sql"),
        include_str!("../../migrations/sqlite/0004_state_since_of_others.sql"),
    ];
    [
        migration(1, "data key", data_key),
        migration(2, "change", change),
        migration(3, "state since", state_since),
        migration(4, "state since of others", of_others),
    ]
}

async fn migrate(connection: &mut SqliteConnection) -> Result<(), MigrateError> {
    let [first, others @ ..] = migrations();
    if has_unprefixed_tables(connection).await? {
        let to_prefixed = include_str!("../../migrations/sqlite/unprefixed/to_prefixed.sql");
        sqlx::raw_sql(to_prefixed).execute(&mut *connection).await?;
        connection.ensure_migrations_table(MIGRATIONS_TABLE).await?;
        connection.skip(MIGRATIONS_TABLE, &first).await?;
    }
    let all = std::iter::once(first).chain(others).collect();
    let mut migrator = Migrator::with_migrations(all);
    migrator.dangerous_set_table_name(MIGRATIONS_TABLE);
    migrator.run_direct(None, connection, false).await
}

/// Whether the tables are still those of a version that gave them no prefix.
async fn has_unprefixed_tables(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let unprefixed = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table'
                                     AND name = 'portcullis_keyring_migrations')
                      AND NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table'
                                      AND name = 'keyring_migrations')";
    sqlx::query_scalar(unprefixed).fetch_one(connection).await
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
        StoreError::Unavailable(error.into())
    }
}

#[cfg(test)]
mod tests;

//! Finds out whether the tables are there and can be written, by trying.

use sqlx::{SqliteConnection, SqlitePool};

use super::{failed, transaction::WriteTransaction};
use crate::store::StoreError;

/// What the store does to its tables, on rows that no tenant has; and how many indexes it rests on.
const STATEMENTS: [&str; 6] = [
    "INSERT OR REPLACE INTO keyring_data_key (key_id, tenant, purpose, wrapped, state, created_at, state_since)
     VALUES (0, '', '', NULL, 'destroyed', 0, 0)",
    "UPDATE keyring_data_key SET state = 'pending', wrapped = x'' WHERE key_id = 0",
    "UPDATE keyring_data_key SET state = 'primary' WHERE key_id = 0",
    "DELETE FROM keyring_data_key WHERE key_id = 0",
    "INSERT INTO keyring_erased_tenant (tenant) VALUES ('') ON CONFLICT DO NOTHING",
    "SELECT tenant, key_id FROM keyring_data_key WHERE tenant = '' ORDER BY key_id",
];

const INDEXES: i64 = 4;
const MIGRATIONS: i64 = 4;

/// How many of the changes that the statements make are counted: with two of them, that of the time as well.
const COUNTED: i64 = 6;

/// Runs the statements in a transaction that is taken back.
pub(super) async fn run(pool: &SqlitePool) -> Result<(), StoreError> {
    let mut transaction = match WriteTransaction::begin(pool).await {
        Ok(transaction) => transaction,
        // Another process writes: the database works.
        Err(error) if is_busy(&error) => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    let changes = changes(&mut transaction).await?;
    for statement in STATEMENTS {
        sqlx::query(statement)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
    }
    if self::changes(&mut transaction).await? != changes + COUNTED {
        let lost = "a trigger of keyring_data_key is missing";
        return Err(StoreError::Unavailable(lost.into()));
    }
    // Without what it notes here, the next start would make the tables once more, and fail.
    let migrations = "SELECT count(checksum) FROM keyring_migrations
                      WHERE version IN (1, 2, 3, 4) AND success";
    let migrations: i64 = sqlx::query_scalar(migrations)
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed)?;
    if migrations < MIGRATIONS {
        let lost = "keyring_migrations lacks what was done";
        return Err(StoreError::Unavailable(lost.into()));
    }
    let indexes = "SELECT count(*) FROM sqlite_schema WHERE type = 'index'
                   AND tbl_name = 'keyring_data_key' AND name LIKE 'keyring_data_key_%'";
    let indexes: i64 = sqlx::query_scalar(indexes)
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed)?;
    if indexes < INDEXES {
        let lost = "an index of keyring_data_key is missing";
        return Err(StoreError::Unavailable(lost.into()));
    }
    transaction.rollback().await.map_err(failed)
}

async fn changes(transaction: &mut SqliteConnection) -> Result<i64, StoreError> {
    sqlx::query_scalar("SELECT number FROM keyring_change")
        .fetch_one(transaction)
        .await
        .map_err(failed)
}

/// `SQLITE_BUSY`; extended codes share the low byte.
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(|error| error.code()?.parse::<i32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}

#[cfg(test)]
mod tests {
    use sqlx::sqlite::SqlitePoolOptions;

    use crate::store::{DekStore as _, SqliteDekStore};

    /// What somebody else may do to the tables, and how it is taken back.
    const CHANGES: [[&str; 2]; 13] = [
        [
            "ALTER TABLE keyring_data_key RENAME TO gone",
            "ALTER TABLE gone RENAME TO keyring_data_key",
        ],
        [
            "ALTER TABLE keyring_erased_tenant RENAME TO gone",
            "ALTER TABLE gone RENAME TO keyring_erased_tenant",
        ],
        [
            "ALTER TABLE keyring_migrations RENAME TO gone",
            "ALTER TABLE gone RENAME TO keyring_migrations",
        ],
        [
            "UPDATE keyring_migrations SET version = 7 WHERE version = 1",
            "UPDATE keyring_migrations SET version = 1 WHERE version = 7",
        ],
        [
            "ALTER TABLE keyring_change RENAME TO gone",
            "ALTER TABLE gone RENAME TO keyring_change",
        ],
        [
            "DROP TRIGGER keyring_change_by_insert",
            "CREATE TRIGGER keyring_change_by_insert AFTER INSERT ON keyring_data_key
             WHEN NEW.state <> 'primary'
             BEGIN UPDATE keyring_change SET number = number + 1; END",
        ],
        [
            "DROP TRIGGER keyring_change_by_update",
            "CREATE TRIGGER keyring_change_by_update AFTER UPDATE ON keyring_data_key
             BEGIN UPDATE keyring_change SET number = number + 1; END",
        ],
        [
            "DROP TRIGGER keyring_change_by_delete",
            "CREATE TRIGGER keyring_change_by_delete AFTER DELETE ON keyring_data_key
             BEGIN UPDATE keyring_change SET number = number + 1; END",
        ],
        [
            "DROP TRIGGER keyring_state_since",
            "CREATE TRIGGER keyring_state_since AFTER UPDATE OF state ON keyring_data_key
             WHEN NEW.state <> OLD.state AND NEW.state_since = OLD.state_since
             BEGIN UPDATE keyring_data_key SET state_since = 1 WHERE key_id = NEW.key_id; END",
        ],
        [
            "ALTER TABLE keyring_data_key RENAME COLUMN wrapped TO gone",
            "ALTER TABLE keyring_data_key RENAME COLUMN gone TO wrapped",
        ],
        [
            "CREATE TRIGGER read_only BEFORE INSERT ON keyring_data_key
             BEGIN SELECT raise(ABORT, 'read-only'); END",
            "DROP TRIGGER read_only",
        ],
        [
            "CREATE TRIGGER read_only BEFORE UPDATE ON keyring_data_key
             BEGIN SELECT raise(ABORT, 'read-only'); END",
            "DROP TRIGGER read_only",
        ],
        [
            "DROP INDEX keyring_data_key_one_primary",
            "CREATE UNIQUE INDEX keyring_data_key_one_primary
             ON keyring_data_key (tenant, purpose) WHERE state = 'primary'",
        ],
    ];

    #[tokio::test]
    async fn whatever_is_done_to_a_table_is_found_and_nothing_is_left_behind() {
        for [change, back] in CHANGES {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("keys.db");
            let url = format!("sqlite://{}?mode=rwc", file.display());
            // Of several connections another may still know the names from before a change.
            let pool = SqlitePoolOptions::new().max_connections(1);
            let pool = pool.connect(&url).await.unwrap();
            let store = SqliteDekStore::new(pool.clone());
            store.migrate().await.unwrap();
            store.check().await.unwrap();
            sqlx::query(change).execute(&pool).await.unwrap();
            assert!(store.check().await.is_err(), "{change}");
            sqlx::query(back).execute(&pool).await.unwrap();
            store.check().await.unwrap();
            let rows = "SELECT (SELECT count(*) FROM keyring_data_key)
                             + (SELECT count(*) FROM keyring_erased_tenant)";
            let rows: i64 = sqlx::query_scalar(rows).fetch_one(&pool).await.unwrap();
            assert_eq!(rows, 0, "{change}");
        }
    }
}

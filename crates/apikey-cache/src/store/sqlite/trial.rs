//! Finds out whether the tables are there and can be written, by trying.

use sqlx::{Sqlite, SqlitePool};

use super::{migrate, transaction::WriteTransaction};
use crate::store::{StoreError, sql::Dialect as _};

/// What the store does to its tables, on a record whose kid no key has.
const STATEMENTS: [&str; 10] = [
    "INSERT OR REPLACE INTO apikey_cache_api_key (kid, tenant, tier, scopes, status, version, \
     not_before, expires_at, created_at, last_used, pepper_version, hash, row_mac) \
     VALUES ('', '', '', '', 'active', 0, NULL, NULL, 0, NULL, 0, x'', x'')",
    "UPDATE apikey_cache_api_key SET last_used = 0 WHERE kid = ''",
    "UPDATE apikey_cache_api_key SET status = 'revoked', version = version + 1, \
     pepper_version = NULL, hash = NULL, row_mac = NULL WHERE kid = ''",
    "SELECT kid FROM apikey_cache_api_key WHERE tenant = '' ORDER BY kid",
    "SELECT tenant FROM apikey_cache_api_key WHERE tenant = '' COLLATE NOCASE",
    "INSERT INTO apikey_cache_outbox (kind, kid, version, tenant, at) \
     VALUES ('record', '', 0, NULL, 0)",
    "DELETE FROM apikey_cache_outbox WHERE kid = ''",
    "INSERT INTO apikey_cache_reader (id, applied, at) VALUES (zeroblob(16), 0, 0) \
     ON CONFLICT (id) DO UPDATE SET at = excluded.at, applied = max(applied, excluded.applied)",
    "SELECT id, applied, at FROM apikey_cache_reader",
    "DELETE FROM apikey_cache_reader WHERE id = zeroblob(16)",
];

/// Runs the statements in a transaction that is taken back.
pub(super) async fn run(pool: &SqlitePool) -> Result<(), StoreError> {
    let mut transaction = match WriteTransaction::begin(pool).await {
        Ok(transaction) => transaction,
        // Another process writes: the database works.
        Err(error) if is_busy(&error) => return Ok(()),
        Err(error) => return Err(Sqlite::failed(error)),
    };
    for statement in STATEMENTS {
        sqlx::query(statement)
            .execute(&mut *transaction)
            .await
            .map_err(Sqlite::failed)?;
    }
    // One row, without which nobody can say which feed this is.
    sqlx::query("SELECT id FROM apikey_cache_feed")
        .fetch_one(&mut *transaction)
        .await
        .map_err(Sqlite::failed)?;
    // Without what it notes here, the next start would make the tables once more, and fail.
    for version in migrate::VERSIONS {
        sqlx::query("SELECT checksum FROM apikey_cache_migrations WHERE version = ?1 AND success")
            .bind(version)
            .fetch_one(&mut *transaction)
            .await
            .map_err(Sqlite::failed)?;
    }
    transaction.rollback().await.map_err(Sqlite::failed)
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

    use crate::store::{KeyStore as _, SqliteKeyStore};

    /// What somebody else may do to the tables, and how it is taken back.
    const CHANGES: [[&str; 2]; 15] = [
        [
            "ALTER TABLE apikey_cache_api_key RENAME TO gone",
            "ALTER TABLE gone RENAME TO apikey_cache_api_key",
        ],
        [
            "ALTER TABLE apikey_cache_outbox RENAME TO gone",
            "ALTER TABLE gone RENAME TO apikey_cache_outbox",
        ],
        [
            "ALTER TABLE apikey_cache_migrations RENAME TO gone",
            "ALTER TABLE gone RENAME TO apikey_cache_migrations",
        ],
        [
            "UPDATE apikey_cache_migrations SET version = 7 WHERE version = 1",
            "UPDATE apikey_cache_migrations SET version = 1 WHERE version = 7",
        ],
        [
            "UPDATE apikey_cache_migrations SET version = 7 WHERE version = 2",
            "UPDATE apikey_cache_migrations SET version = 2 WHERE version = 7",
        ],
        [
            "ALTER TABLE apikey_cache_api_key RENAME COLUMN row_mac TO gone",
            "ALTER TABLE apikey_cache_api_key RENAME COLUMN gone TO row_mac",
        ],
        [
            "CREATE TRIGGER read_only BEFORE UPDATE ON apikey_cache_api_key
             BEGIN SELECT raise(ABORT, 'read-only'); END",
            "DROP TRIGGER read_only",
        ],
        [
            "CREATE TRIGGER read_only BEFORE INSERT ON apikey_cache_outbox
             BEGIN SELECT raise(ABORT, 'read-only'); END",
            "DROP TRIGGER read_only",
        ],
        [
            "UPDATE apikey_cache_migrations SET version = 7 WHERE version = 3",
            "UPDATE apikey_cache_migrations SET version = 3 WHERE version = 7",
        ],
        [
            "ALTER TABLE apikey_cache_outbox RENAME COLUMN tenant TO gone",
            "ALTER TABLE apikey_cache_outbox RENAME COLUMN gone TO tenant",
        ],
        [
            "ALTER TABLE apikey_cache_feed RENAME TO gone",
            "ALTER TABLE gone RENAME TO apikey_cache_feed",
        ],
        [
            "DELETE FROM apikey_cache_feed",
            "INSERT INTO apikey_cache_feed (one, id) VALUES (1, randomblob(16))",
        ],
        [
            "ALTER TABLE apikey_cache_reader RENAME TO gone",
            "ALTER TABLE gone RENAME TO apikey_cache_reader",
        ],
        [
            "ALTER TABLE apikey_cache_reader RENAME COLUMN applied TO gone",
            "ALTER TABLE apikey_cache_reader RENAME COLUMN gone TO applied",
        ],
        [
            "CREATE TRIGGER read_only BEFORE DELETE ON apikey_cache_reader
             BEGIN SELECT raise(ABORT, 'read-only'); END",
            "DROP TRIGGER read_only",
        ],
    ];

    #[tokio::test]
    async fn whatever_is_done_to_a_table_is_found_and_nothing_is_left_behind() {
        for [change, back] in CHANGES {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("keys.db");
            let url = format!("sqlite://{}?mode=rwc", file.display());
            // Another connection may not know yet how a column is named since.
            let pool = SqlitePoolOptions::new().max_connections(1);
            let pool = pool.connect(&url).await.unwrap();
            let store = SqliteKeyStore::new(pool.clone());
            store.migrate().await.unwrap();
            store.check().await.unwrap();
            sqlx::query(change).execute(&pool).await.unwrap();
            assert!(store.check().await.is_err(), "{change}");
            sqlx::query(back).execute(&pool).await.unwrap();
            store.check().await.unwrap();
            let rows = "SELECT (SELECT count(*) FROM apikey_cache_api_key)
                             + (SELECT count(*) FROM apikey_cache_outbox)
                             + (SELECT count(*) FROM sqlite_sequence)";
            let rows: i64 = sqlx::query_scalar(rows).fetch_one(&pool).await.unwrap();
            assert_eq!(rows, 0, "{change}");
        }
    }
}

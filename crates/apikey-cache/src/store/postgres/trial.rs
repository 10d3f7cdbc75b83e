//! Finds out whether the tables are there and can be written, by trying.

use sqlx::{PgConnection, PgPool, Postgres};

use super::{refusal::is_locked, transaction::WriteTransaction};
use crate::store::{StoreError, sql::Dialect as _};

/// What the store does to its tables, on a record whose kid no key has. The number of a change last: others wait for
/// it.
const STATEMENTS: [&str; 10] = [
    "INSERT INTO apikey_cache_api_key (kid, tenant, tier, scopes, status, version, \
     not_before, expires_at, created_at, last_used, pepper_version, hash, row_mac) \
     VALUES ('', '', '', '', 'active', 0, NULL, NULL, 0, NULL, 0, '', '') ON CONFLICT (kid) DO NOTHING",
    "UPDATE apikey_cache_api_key SET tenant = '', tier = '', scopes = '', not_before = 0, expires_at = 0, \
     last_used = 0 WHERE kid = ''",
    "UPDATE apikey_cache_api_key SET status = 'revoked', version = version + 1, \
     pepper_version = NULL, hash = NULL, row_mac = NULL WHERE kid = ''",
    "SELECT kid FROM apikey_cache_api_key WHERE tenant = '' ORDER BY kid",
    "INSERT INTO apikey_cache_reader AS known (id, applied, at) VALUES (decode(repeat('00', 16), 'hex'), 0, 0) \
     ON CONFLICT (id) DO UPDATE SET at = excluded.at, applied = greatest(known.applied, excluded.applied)",
    "SELECT id, applied, at FROM apikey_cache_reader",
    "DELETE FROM apikey_cache_reader WHERE id = decode(repeat('00', 16), 'hex')",
    "DELETE FROM apikey_cache_outbox WHERE kid = ''",
    "UPDATE apikey_cache_feed SET head = head + 1",
    "INSERT INTO apikey_cache_outbox (seq, kind, kid, version, tenant, at) \
     SELECT head, 'record', '', 0, NULL, 0 FROM apikey_cache_feed",
];

/// Indexes without which every row would be read for what is asked before a service is ready, or for each key that
/// is issued.
const INDEXES: &str = "SELECT count(*) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE indrelid IN ('apikey_cache_api_key'::regclass, 'apikey_cache_outbox'::regclass) AND indisvalid
    AND relname IN (
        'apikey_cache_api_key_of_tenant', 'apikey_cache_api_key_of_tenant_alike', 'apikey_cache_api_key_by_use',
        'apikey_cache_api_key_by_pepper', 'apikey_cache_outbox_by_age')";
const INDEX_COUNT: i64 = 5;

/// Without what it notes here, the next start would make the tables once more, and fail.
const MIGRATIONS: &str =
    "SELECT count(checksum) FROM apikey_cache_migrations WHERE version IN (1) AND success";
const MIGRATION_COUNT: i64 = 1;

/// One row, without which nobody can say which feed this is.
const FEEDS: &str = "SELECT count(id) FROM apikey_cache_feed";

/// Runs the statements in a transaction that is taken back.
pub(super) async fn run(pool: &PgPool) -> Result<(), StoreError> {
    let transaction = WriteTransaction::begin_trial(pool).await;
    let mut transaction = transaction.map_err(Postgres::failed)?;
    match attempt(&mut transaction).await {
        Ok(None) => transaction.rollback().await.map_err(Postgres::failed),
        Ok(Some(lost)) => Err(StoreError::unavailable(lost)),
        // Somebody else writes: the database works.
        Err(error) if is_locked(&error) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What is missing, if anything is.
async fn attempt(connection: &mut PgConnection) -> Result<Option<&'static str>, StoreError> {
    for (count, expected, lost) in [
        (
            MIGRATIONS,
            MIGRATION_COUNT,
            "apikey_cache_migrations lacks what was done",
        ),
        (
            INDEXES,
            INDEX_COUNT,
            "an index of apikey_cache_api_key or apikey_cache_outbox is missing",
        ),
        (FEEDS, 1, "the row of apikey_cache_feed is missing"),
    ] {
        let count = sqlx::query_scalar::<_, i64>(count);
        let there = count.fetch_one(&mut *connection).await;
        if there.map_err(Postgres::failed)? != expected {
            return Ok(Some(lost));
        }
    }
    for statement in STATEMENTS {
        let statement = sqlx::query(statement).execute(&mut *connection).await;
        statement.map_err(Postgres::failed)?;
    }
    Ok(None)
}

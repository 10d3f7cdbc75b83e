//! What is said to PostgreSQL in its own way.

use sqlx::{PgPool, Postgres, postgres::PgQueryResult};

use super::{refusal, transaction::WriteTransaction};
use crate::{
    kid::Kid,
    store::{StoreError, UnixMillis, sql::Dialect},
};

impl Dialect for Postgres {
    type Transaction = WriteTransaction;

    /// The number is taken last of all, and the next one waits for the commit.
    const APPEND: &'static str = "\
        WITH numbered AS (UPDATE apikey_cache_feed SET head = head + 1 RETURNING head) \
        INSERT INTO apikey_cache_outbox (seq, kind, kid, version, tenant, at) \
        SELECT head, $1, $2, $3, $4, $5 FROM numbered RETURNING seq";

    const HEAD: &'static str = "SELECT head AS seq FROM apikey_cache_feed";

    /// Each half is the first entry of an index that is not before the name, however many keys a tenant has. Of an
    /// equality alone the server may think that reading on from the first row finds it sooner, and reads them all if
    /// there is none.
    const TENANT_ALIKE: &'static str = "\
        SELECT tenant FROM ( \
            (SELECT tenant, 1 AS place FROM (SELECT tenant FROM apikey_cache_api_key \
                 WHERE tenant >= $1 ORDER BY tenant LIMIT 1) AS next \
             WHERE tenant = $1) \
            UNION ALL \
            (SELECT tenant, 2 AS place FROM (SELECT tenant FROM apikey_cache_api_key \
                 WHERE lower(tenant) >= lower($1 COLLATE \"C\") ORDER BY lower(tenant) LIMIT 1) AS next \
             WHERE lower(tenant) = lower($1 COLLATE \"C\"))) AS alike \
        ORDER BY place LIMIT 1";

    async fn begin(pool: &PgPool) -> Result<WriteTransaction, StoreError> {
        WriteTransaction::begin(pool).await.map_err(Self::failed)
    }

    async fn commit(transaction: WriteTransaction) -> Result<(), StoreError> {
        transaction.commit().await.map_err(Self::failed)
    }

    async fn rollback(transaction: WriteTransaction) -> Result<(), StoreError> {
        transaction.rollback().await.map_err(Self::failed)
    }

    fn failed(error: sqlx::Error) -> StoreError {
        refusal::failed(error)
    }

    fn changed(outcome: &PgQueryResult) -> u64 {
        outcome.rows_affected()
    }

    async fn update_last_used(pool: &PgPool, uses: &[(Kid, UnixMillis)]) -> Result<(), StoreError> {
        let kids: Vec<String> = uses.iter().map(|(kid, _)| kid.to_string()).collect();
        let dates: Vec<i64> = uses.iter().map(|(_, date)| date.value()).collect();
        let mut transaction = Self::begin(pool).await?;
        let update = sqlx::query(UPDATE_LAST_USED).bind(kids).bind(dates);
        let updated = update.execute(&mut *transaction).await;
        updated.map_err(Self::failed)?;
        Self::commit(transaction).await
    }
}

/// One statement for all, which looks each of them up, and locks them in the order of their kids: two processes that
/// write the dates of the same keys would wait for each other otherwise.
const UPDATE_LAST_USED: &str = "\
    WITH used AS ( \
        SELECT kid, max(at) AS at FROM unnest($1::TEXT[], $2::BIGINT[]) AS used (kid, at) GROUP BY kid \
    ), locked AS ( \
        SELECT known.kid, used.at FROM used JOIN apikey_cache_api_key AS known ON known.kid = used.kid \
        WHERE known.last_used IS NULL OR known.last_used < used.at \
        ORDER BY known.kid FOR NO KEY UPDATE OF known \
    ) \
    UPDATE apikey_cache_api_key AS known SET last_used = locked.at FROM locked WHERE known.kid = locked.kid \
    AND (known.last_used IS NULL OR known.last_used < locked.at)";

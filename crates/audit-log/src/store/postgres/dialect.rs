//! What is said to PostgreSQL in its own way.

use std::ops::{Deref, DerefMut};

use sqlx::{PgConnection, PgPool, Postgres};

use super::{refusal, write_transaction::WriteTransaction};
use crate::store::{
    StoreError,
    sql::{Dialect, GroupRows, IndexRow},
};

/// A [`WriteTransaction`] that the tables may know.
#[derive(Debug)]
pub(in crate::store) struct PostgresTransaction(WriteTransaction);

/// What server, role and pool say of the times stands. Where they say nothing, nobody waits for the log for ever, and a
/// process that stops in the middle, or is cut off, does not keep it.
const LIMITS: &str = "
    SELECT set_config('lock_timeout', '5s', true) WHERE current_setting('lock_timeout') = '0';
    SELECT set_config('idle_in_transaction_session_timeout', '3s', true)
        WHERE current_setting('idle_in_transaction_session_timeout') = '0';
    SELECT set_config('synchronous_commit', 'local', true)
        WHERE current_setting('synchronous_commit') = 'off'";

impl Deref for PostgresTransaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.0
    }
}

impl DerefMut for PostgresTransaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}

impl Dialect for Postgres {
    type Transaction = PostgresTransaction;

    const TAKE_LOG: &'static str = "SELECT size, first, root FROM audit_log FOR UPDATE";
    const TAKE_CHECKPOINT: &'static str = "SELECT size FROM audit_checkpoint FOR UPDATE";
    const PART: &'static str = "SELECT sealed FROM audit_personal WHERE n = $1";

    async fn begin(pool: &PgPool) -> Result<PostgresTransaction, StoreError> {
        let transaction = WriteTransaction::begin(pool).await;
        let mut transaction = transaction.map_err(Self::failed)?;
        let limited = sqlx::raw_sql(LIMITS).execute(&mut *transaction).await;
        limited.map_err(Self::failed)?;
        Ok(PostgresTransaction(transaction))
    }

    async fn commit(transaction: PostgresTransaction) -> Result<(), StoreError> {
        transaction.0.commit().await.map_err(Self::failed)
    }

    async fn rollback(transaction: PostgresTransaction) -> Result<(), StoreError> {
        transaction.0.rollback().await.map_err(Self::failed)
    }

    fn failed(error: sqlx::Error) -> StoreError {
        refusal::failed(error)
    }

    async fn insert(connection: &mut PgConnection, rows: &GroupRows) -> Result<(), sqlx::Error> {
        insert_events(connection, rows).await?;
        insert_terms(connection, rows).await?;
        if rows.parts.is_empty() {
            return Ok(());
        }
        let insert = "INSERT INTO audit_personal (n, sealed)
                      SELECT * FROM unnest($1::BIGINT[], $2::BYTEA[])";
        let (leaves, sealed): (Vec<i64>, Vec<&[u8]>) = rows
            .parts
            .iter()
            .map(|(n, sealed)| (*n, sealed.as_slice()))
            .unzip();
        let insert = sqlx::query(insert).bind(leaves).bind(sealed);
        insert.execute(connection).await.map(drop)
    }
}

async fn insert_events(connection: &mut PgConnection, rows: &GroupRows) -> Result<(), sqlx::Error> {
    let insert = "INSERT INTO audit_event (n, time, tenant, actor, action, outcome, leaf)
                  SELECT * FROM unnest($1::BIGINT[], $2::BIGINT[], $3::TEXT[], $4::TEXT[], $5::TEXT[], $6::TEXT[],
                      $7::BYTEA[])";
    let events = || rows.events.iter();
    let texts = |text: fn(&IndexRow) -> &str| -> Vec<_> {
        events().map(|row| text(&row.index).to_owned()).collect()
    };
    let times = events().map(|row| row.index.time.cast_signed());
    let insert = sqlx::query(insert)
        .bind(events().map(|row| row.n).collect::<Vec<_>>())
        .bind(times.collect::<Vec<_>>())
        .bind(texts(|index| &index.tenant))
        .bind(texts(|index| &index.actor))
        .bind(texts(|index| &index.action))
        .bind(texts(|index| &index.outcome))
        .bind(events().map(|row| &*row.leaf).collect::<Vec<_>>());
    insert.execute(connection).await.map(drop)
}

async fn insert_terms(connection: &mut PgConnection, rows: &GroupRows) -> Result<(), sqlx::Error> {
    let (mut leaves, mut kinds, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for row in &rows.events {
        for (kind, value) in &row.index.terms {
            leaves.push(row.n);
            kinds.push(kind.as_str());
            values.push(value.as_str());
        }
    }
    if leaves.is_empty() {
        return Ok(());
    }
    let insert = "INSERT INTO audit_term (n, kind, value)
                  SELECT * FROM unnest($1::BIGINT[], $2::TEXT[], $3::TEXT[])";
    let insert = sqlx::query(insert).bind(leaves).bind(kinds).bind(values);
    insert.execute(connection).await.map(drop)
}

//! The tables are made, and brought up to date.

use sqlx::{
    PgConnection, SqlSafeStr as _,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

const TABLE: &str = "keyring_migrations";

/// Migrations need no transaction of their own.
const IN_TRANSACTION: bool = true;

/// Inside a transaction, which is the turn of this process: `CREATE TABLE` of two at once would fail.
pub(super) async fn run(connection: &mut PgConnection) -> Result<(), MigrateError> {
    let lock = "SELECT pg_advisory_xact_lock(hashtextextended('keyring_migrations', 0))";
    sqlx::query(lock).execute(&mut *connection).await?;
    let first = Migration::new(
        1,
        "data key".into(),
        MigrationType::Simple,
        include_str!("../../../migrations/postgres/0001_data_key.sql").into_sql_str(),
        IN_TRANSACTION,
    );
    let mut migrator = Migrator::with_migrations(vec![first]);
    migrator.dangerous_set_table_name(TABLE);
    // Its own lock is one of the session, which it keeps when it fails: the connection would go back to the pool with
    // it. This transaction's lock is taken already, and ends with it.
    migrator.set_locking(false);
    migrator.run_direct(None, connection, false).await
}

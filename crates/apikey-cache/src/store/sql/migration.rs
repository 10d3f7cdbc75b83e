//! What makes the tables, as every database remembers it.

use sqlx::{
    SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};

/// Where a database notes what was done.
pub(in crate::store) const TABLE: &str = "apikey_cache_migrations";

/// Migrations need no transaction of their own: all of them are one, and with it the turn of one process.
const IN_TRANSACTION: bool = true;

/// Of what was applied somewhere no letter is changed.
pub(in crate::store) fn migration(
    version: i64,
    description: &'static str,
    sql: &'static str,
) -> Migration {
    Migration::new(
        version,
        description.into(),
        MigrationType::Simple,
        sql.into_sql_str(),
        IN_TRANSACTION,
    )
}

/// Runs them inside the transaction of its connection.
pub(in crate::store) fn migrator(migrations: Vec<Migration>) -> Migrator {
    let mut migrator = Migrator::with_migrations(migrations);
    migrator.dangerous_set_table_name(TABLE);
    // A lock of the connection would outlive a migration that fails; the transaction is one already.
    migrator.set_locking(false);
    migrator
}

//! What makes the tables.

use sqlx::{
    SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};

/// Where a database notes what was done.
const TABLE: &str = "audit_migrations";

/// Migrations need no transaction of their own: all of them are one, and with it the turn of one process.
const IN_TRANSACTION: bool = true;

/// Makes the tables of a log, inside the transaction of its connection. What was applied somewhere is never changed.
pub(in crate::store) fn migrator(statements: &[(&'static str, &'static str)]) -> Migrator {
    let migrations = (1..).zip(statements).map(|(number, (name, statements))| {
        let (kind, statements) = (MigrationType::Simple, statements.into_sql_str());
        Migration::new(number, (*name).into(), kind, statements, IN_TRANSACTION)
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.dangerous_set_table_name(TABLE);
    // A lock of the connection would outlive a migration that fails; the transaction is one already.
    migrator.set_locking(false);
    migrator
}

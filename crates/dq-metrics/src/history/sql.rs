//! The tables of a history, in whichever SQL database they are.
//!
//! A statement that every database understands stands here, its parameters as `$1`. What a database says in its own
//! way is its [`Dialect`].

mod add;
mod dialect;
mod read;
mod remove;
mod row;

use sqlx::Database;

pub(super) use self::{
    dialect::Dialect,
    read::TableReader,
    row::{lifecycle_text, migrator},
};

/// Writes the tables, in a transaction in which nobody else does.
pub(super) struct TableWriter<'c, DB: Database> {
    connection: &'c mut DB::Connection,
}

impl<'c, DB: Database> TableWriter<'c, DB> {
    /// On a connection that is inside the transaction.
    pub(super) const fn new(connection: &'c mut DB::Connection) -> Self {
        Self { connection }
    }
}

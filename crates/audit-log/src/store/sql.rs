//! The tables of a log, in whichever SQL database they are.
//!
//! A statement that every database understands stands here, its parameters as `$1`. What a database says in its own
//! way is its [`Dialect`].

mod append;
mod dialect;
mod group_rows;
mod index_rows;
mod leaf_row;
pub(super) mod many_rows;
mod migration;
mod publish;
mod read;
mod row;
mod search;
mod tiles;

use std::sync::Arc;

use sqlx::{Database, Pool};

use crate::clock::{Clock, SystemClock};

pub use self::index_rows::IndexRows;
pub(super) use self::{
    append::{LogRow, Prepared},
    dialect::Dialect,
    group_rows::GroupRows,
    index_rows::{BundleIndex, RowReader},
    leaf_row::IndexRow,
    migration::migrator,
};

/// Entries of a bundle, and so many are pruned at once at least.
const WIDE: u64 = crate::tile::WIDTH as u64;

/// The tables that the connections of a pool find.
#[derive(Debug)]
pub(super) struct Tables<DB: Database> {
    pub(super) pool: Pool<DB>,
    clock: Arc<dyn Clock>,
}

impl<DB: Database> Tables<DB> {
    pub(super) fn new(pool: Pool<DB>) -> Self {
        Self {
            pool,
            clock: Arc::new(SystemClock::new()),
        }
    }
}

impl<DB: Database> Clone for Tables<DB> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            clock: Arc::clone(&self.clock),
        }
    }
}

/// A number as databases keep it. What does not fit is beyond every tree.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

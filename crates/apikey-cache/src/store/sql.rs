//! The tables of keys and of their changes, in whichever SQL database they are.
//!
//! A statement that every database understands stands here, its parameters as `$1`. What a database says in its own
//! way is its [`Dialect`].

mod dialect;
mod feed;
mod migration;
mod read;
mod row;
mod write;

use sqlx::{Database, Pool};

#[cfg(all(test, feature = "sqlite"))]
pub(super) use self::read::{COUNT_BY_PEPPER, RECENTLY_USED};
pub(super) use self::{
    dialect::Dialect,
    migration::{TABLE as MIGRATIONS, migration, migrator},
};

/// The tables that the connections of a pool find.
///
/// Each change is a transaction of its own. It is taken back when there was nothing to do, and what its connection
/// becomes when it fails is for [`Dialect::Transaction`] to say.
pub(super) struct Tables<'p, DB: Database>(pub(super) &'p Pool<DB>);

/// A count as databases keep it; what does not fit is beyond any count that is reached.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

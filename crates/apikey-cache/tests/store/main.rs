//! Every store behaves the same: one suite, and what only a shared file can show.

mod conformance;
#[cfg(feature = "sqlx")]
mod sqlite;

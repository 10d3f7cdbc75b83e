//! Every store behaves the same: one suite, and what only a shared file can show.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod conformance;
#[cfg(feature = "sqlx")]
mod sqlite;

//! What each SQL database says in its own way.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Database;

use super::row::HistoryRow;
use crate::{
    conservation::Conservation,
    history::{HistoryError, ReceiptKey, TallyKey, VersionCount, VersionKey},
};

/// A database that can have the tables of a history.
pub(in crate::history) trait Dialect: Database<Row: HistoryRow> {
    /// Remembers writer, sequence number and latest day of a batch; changes no row if a number that is not below
    /// was remembered before.
    const NOTE_BATCH: &'static str;

    /// What an error means.
    fn failed(error: sqlx::Error) -> HistoryError;

    /// How many rows a statement changed.
    fn changed(outcome: &Self::QueryResult) -> u64;

    /// A text from outside as a column can keep it.
    fn storable(text: &str) -> String;

    /// Which of these tenants are erased.
    fn erased_of(
        connection: &mut Self::Connection,
        tenants: BTreeSet<&str>,
    ) -> impl Future<Output = Result<BTreeSet<String>, sqlx::Error>> + Send;

    /// Adds to the rows that there are, or makes them.
    fn add_tallies(
        connection: &mut Self::Connection,
        rows: &BTreeMap<TallyKey, u64>,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Adds to the rows that there are, or makes them.
    fn add_receipts(
        connection: &mut Self::Connection,
        rows: &BTreeMap<ReceiptKey, Conservation>,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Adds to the rows that there are, or makes them.
    fn add_versions(
        connection: &mut Self::Connection,
        rows: &BTreeMap<VersionKey, VersionCount>,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
}

//! Rows of the index, held against the leaves.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use async_trait::async_trait;
use sqlx::{Encode, Executor, IntoArguments, Type};
use tokio::runtime::Handle;

use super::{Dialect, IndexRow, Tables, WIDE, row::SqlRow as _, signed};
use crate::{event::Leaf, source::SourceError, store::StoreError, verify::Companions};

/// What tables have of one bundle.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct BundleIndex {
    /// Between which times its leaves are said to be.
    times: Option<(u64, u64)>,
    rows: BTreeMap<u64, IndexRow>,
}

/// Who reads them.
#[async_trait]
pub(in crate::store) trait RowReader: fmt::Debug + Send + Sync {
    async fn index_of(&self, bundle: u64) -> Result<BundleIndex, StoreError>;

    /// The first leaf that is left.
    async fn first(&self) -> Result<u64, StoreError>;
}

/// The rows of an index, as what [`Verification::companions`](crate::verify::Verification::companions) holds against
/// each leaf: a search finds what a row says, so that who changes a row hides an event from it.
///
/// It waits for the database, on a thread that may: within [`tokio::task::spawn_blocking`], and never on one that runs
/// tasks.
#[derive(Debug)]
pub struct IndexRows {
    reader: Box<dyn RowReader>,
    runtime: Handle,
    read: Option<(u64, BundleIndex)>,
}

impl IndexRows {
    pub(in crate::store) fn new(reader: Box<dyn RowReader>, runtime: Handle) -> Self {
        Self {
            reader,
            runtime,
            read: None,
        }
    }

    fn is_as_in(&mut self, leaf: &Leaf<'_>) -> Result<bool, StoreError> {
        let n = leaf.numbers().in_tree;
        let bundle = n / WIDE;
        let index = match self.read.take() {
            Some((read, index)) if read == bundle => index,
            _ => self.runtime.block_on(self.reader.index_of(bundle))?,
        };
        let time = leaf.time().unix_micros();
        let is_within = index
            .times
            .is_some_and(|(earliest, latest)| (earliest..=latest).contains(&time));
        let is_there = index.rows.get(&n) == Some(&IndexRow::of(leaf));
        self.read = Some((bundle, index));
        if is_within && is_there {
            return Ok(true);
        }
        // What was pruned since is no lie.
        Ok(n < self.runtime.block_on(self.reader.first())?)
    }
}

impl Companions for IndexRows {
    /// # Panics
    /// On a thread that runs tasks of a runtime.
    fn agrees(&mut self, leaf: &Leaf<'_>) -> Result<bool, SourceError> {
        self.is_as_in(leaf)
            .map_err(SourceError::unreadable("audit_event"))
    }
}

impl<DB: Dialect> Tables<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    DB::Arguments: IntoArguments<DB>,
{
    pub(in crate::store) async fn bundle_index(
        &self,
        bundle: u64,
    ) -> Result<BundleIndex, StoreError> {
        let start = bundle.saturating_mul(WIDE);
        let (start, end) = (signed(start), signed(start.saturating_add(WIDE)));
        let between = |select: &'static str| {
            let select = sqlx::query::<DB>(select).bind(start).bind(end);
            select.fetch_all(&self.pool)
        };
        let mut index = BundleIndex::default();
        let select = "SELECT n, time, tenant, actor, action, outcome FROM audit_event
                      WHERE n >= $1 AND n < $2";
        for row in between(select).await.map_err(DB::failed)? {
            let event = IndexRow {
                time: row.number("time")?,
                tenant: row.text("tenant")?,
                actor: row.text("actor")?,
                action: row.text("action")?,
                outcome: row.text("outcome")?,
                terms: BTreeSet::new(),
            };
            index.rows.insert(row.number("n")?, event);
        }
        let select = "SELECT n, kind, value FROM audit_term WHERE n >= $1 AND n < $2";
        for row in between(select).await.map_err(DB::failed)? {
            let event = index.rows.get_mut(&row.number("n")?);
            let term = (row.text("kind")?, row.text("value")?);
            event.into_iter().for_each(|event| {
                event.terms.insert(term.clone());
            });
        }
        let select = "SELECT earliest, latest FROM audit_bundle WHERE number * 256 >= $1 AND number * 256 < $2";
        for row in between(select).await.map_err(DB::failed)? {
            index.times = Some((row.number("earliest")?, row.number("latest")?));
        }
        Ok(index)
    }
}

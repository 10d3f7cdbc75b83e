//! Pages of a search.

use sqlx::{Encode, Executor, IntoArguments, QueryBuilder, Type};

use super::{Dialect, Tables, WIDE, leaf_row::column, row::SqlRow as _, signed};
use crate::{
    event::{Leaf, Timestamp},
    search::{Filter, Found, Page, Query, SearchCursor},
    store::StoreError,
};

/// How many leaves are looked through at first, and at most, before it is seen whether time is up. Leaves of 1 KiB are
/// as many as may be read for a page.
const FIRST_STEP: u64 = 4_096;
const LARGEST_STEP: u64 = 65_536;

impl<DB: Dialect> Tables<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    for<'q> String: Encode<'q, DB> + Type<DB>,
    DB::Arguments: IntoArguments<DB>,
{
    pub(in crate::store) async fn search(&self, query: &Query) -> Result<Page, StoreError> {
        let until = self.clock.monotonic() + Page::MAX_TIME;
        let filter = query.filter();
        let log = self.log().await?;
        let (mut events, mut step) = (Vec::new(), FIRST_STEP);
        let (first, mut end) = self
            .within(filter, log.first, query.before(log.size))
            .await?;
        while end > first {
            let start = end.saturating_sub(step).max(first);
            // One more tells whether there is a next page.
            let most = query.size().events() - events.len() + 1;
            let found = self.found(filter, (start, end), most).await?;
            let is_all = found.len() < most;
            for event in found {
                if events.len() == query.size().events() {
                    let next = SearchCursor::new(event.n + 1, filter);
                    return Ok(Page::new(events, Some(next), true));
                }
                end = event.n;
                // An index that somebody changed shows nobody what is not theirs.
                if Leaf::parse(&event.leaf).is_ok_and(|leaf| filter.matches(&leaf)) {
                    events.push(event);
                }
            }
            if is_all {
                end = start;
            }
            if end > first && self.clock.monotonic() >= until {
                return Ok(Page::new(
                    events,
                    Some(SearchCursor::new(end, filter)),
                    false,
                ));
            }
            step = (step * 2).min(LARGEST_STEP);
        }
        Ok(Page::new(events, None, true))
    }

    /// Between which leaves those are that a filter may mean by its times.
    async fn within(
        &self,
        filter: &Filter,
        first: u64,
        end: u64,
    ) -> Result<(u64, u64), StoreError> {
        let (from, to) = filter.times();
        if from.is_none() && to.is_none() {
            return Ok((first, end));
        }
        // The row of an empty answer has nothing in it, so that there is a number in any case.
        let select =
            "SELECT coalesce(min(number), 0) AS earliest, coalesce(max(number) + 1, 0) AS behind
                      FROM audit_bundle WHERE latest >= $1 AND earliest < $2";
        let select = sqlx::query::<DB>(select)
            .bind(from.map_or(0, micros))
            .bind(to.map_or(i64::MAX, micros));
        let row = select.fetch_one(&self.pool).await.map_err(DB::failed)?;
        let (earliest, behind) = (row.number("earliest")?, row.number("behind")?);
        Ok((
            first.max(earliest.saturating_mul(WIDE)),
            end.min(behind.saturating_mul(WIDE)),
        ))
    }

    /// The newest leaves between two that the index says are meant.
    async fn found(
        &self,
        filter: &Filter,
        (start, end): (u64, u64),
        most: usize,
    ) -> Result<Vec<Found>, StoreError> {
        let mut select = QueryBuilder::<DB>::new("SELECT n, leaf FROM audit_event WHERE n >= ");
        select.push_bind(signed(start));
        select.push(" AND n < ").push_bind(signed(end));
        for term in filter.terms() {
            let value = term.value().to_owned();
            if let Some(column) = column(term.kind()) {
                select.push(" AND ").push(column).push(" = ");
                select.push_bind(value);
                continue;
            }
            select.push(" AND n IN (SELECT n FROM audit_term WHERE kind = ");
            select.push_bind(term.kind().as_str().to_owned());
            select.push(" AND value = ").push_bind(value);
            select.push(" AND n >= ").push_bind(signed(start));
            select.push(" AND n < ").push_bind(signed(end));
            select.push(")");
        }
        let (from, to) = filter.times();
        if let Some(from) = from {
            select.push(" AND time >= ").push_bind(micros(from));
        }
        if let Some(to) = to {
            select.push(" AND time < ").push_bind(micros(to));
        }
        select.push(" ORDER BY n DESC LIMIT ");
        select.push_bind(signed(most as u64));
        let rows = select.build().fetch_all(&self.pool).await;
        let rows = rows.map_err(DB::failed)?;
        let found = rows
            .iter()
            .map(|row| Ok(Found::new(row.number("n")?, row.bytes("leaf")?)));
        found.collect()
    }
}

fn micros(time: Timestamp) -> i64 {
    signed(time.unix_micros())
}

#[cfg(feature = "sqlite")]
#[cfg(test)]
mod tests;

//! What is asked of the tables.

use sqlx::{Database, Encode, Executor, IntoArguments, Pool, QueryBuilder, Type};

use super::{
    Dialect,
    row::{erased, receipt, sample, sum, version},
};
use crate::history::{
    Days, ERASED_AT_ONCE, ErasedTenant, GroupBy, HistoryError, HistoryQuery, HistorySample,
    ReceiptSum, SampleQuery, TallyQuery, TallySum, VersionSum,
};

/// Reads the tables.
///
/// PostgreSQL's sum of BIGINT is NUMERIC: each sum is cast back, which changes nothing in SQLite.
pub(in crate::history) struct TableReader<'p, DB: Database>(pub(in crate::history) &'p Pool<DB>);

impl<DB: Dialect> TableReader<'_, DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    for<'q> String: Encode<'q, DB> + Type<DB>,
    DB::Arguments: IntoArguments<DB>,
{
    pub(in crate::history) async fn tallies(
        &self,
        query: &TallyQuery,
    ) -> Result<Vec<TallySum>, HistoryError> {
        let mut select = QueryBuilder::<DB>::new(match query.by {
            GroupBy::Day => "SELECT hour / 24 AS in_group",
            GroupBy::Tenant => "SELECT tenant AS in_group",
            GroupBy::EventType => "SELECT event_type AS in_group",
        });
        let (from, to) = query.days.hours();
        select.push(
            ", outcome, reason, CAST(sum(events) AS BIGINT) AS events FROM dq_metrics_tally WHERE hour >= ",
        );
        select.push_bind(i64::from(from.value()));
        select.push(" AND hour < ");
        select.push_bind(i64::from(to.value()));
        of_tenant(&mut select, query.tenant.as_deref());
        select.push(" GROUP BY in_group, outcome, reason ORDER BY in_group, outcome, reason");
        let rows = self.rows(select).await?;
        rows.iter().map(|row| sum(row, query.by)).collect()
    }

    pub(in crate::history) async fn samples(
        &self,
        query: &SampleQuery,
    ) -> Result<Vec<HistorySample>, HistoryError> {
        let select = "SELECT day, reason, tenant, event_type, ordinal, taken_at, trace_id, detail, excerpt, fingerprint
                      FROM dq_metrics_sample";
        let mut select = of_days(select, query.days, query.tenant.as_deref());
        select.push(" ORDER BY day DESC, reason, writer, slot LIMIT ");
        select.push_bind(i64::from(query.limit.get()));
        self.rows(select).await?.iter().map(sample).collect()
    }

    pub(in crate::history) async fn receipts(
        &self,
        query: &HistoryQuery,
    ) -> Result<Vec<ReceiptSum>, HistoryError> {
        let select = "SELECT day, CAST(sum(received) AS BIGINT) AS received,
                          CAST(sum(outcomes) AS BIGINT) AS outcomes
                      FROM dq_metrics_receipt";
        let mut select = of_days(select, query.days, query.tenant.as_deref());
        select.push(" GROUP BY day ORDER BY day");
        self.rows(select).await?.iter().map(receipt).collect()
    }

    pub(in crate::history) async fn versions(
        &self,
        query: &HistoryQuery,
    ) -> Result<Vec<VersionSum>, HistoryError> {
        let select = "SELECT event_type, version, lifecycle, CAST(sum(events) AS BIGINT) AS events,
                          max(last_seen) AS last_seen
                      FROM dq_metrics_version";
        let mut select = of_days(select, query.days, query.tenant.as_deref());
        let grouped =
            " GROUP BY event_type, version, lifecycle ORDER BY event_type, version, lifecycle";
        select.push(grouped);
        self.rows(select).await?.iter().map(version).collect()
    }

    pub(in crate::history) async fn erased_tenants(
        &self,
        after: u64,
    ) -> Result<Vec<ErasedTenant>, HistoryError> {
        let mut select =
            QueryBuilder::new("SELECT number, tenant FROM dq_metrics_erased WHERE number > ");
        select.push_bind(after.cast_signed());
        select.push(" ORDER BY number LIMIT ");
        select.push_bind(i64::from(ERASED_AT_ONCE));
        self.rows(select).await?.iter().map(erased).collect()
    }

    async fn rows(&self, mut select: QueryBuilder<DB>) -> Result<Vec<DB::Row>, HistoryError> {
        let select = select.build();
        select.fetch_all(self.0).await.map_err(DB::failed)
    }
}

/// Rows of these days, of one tenant or of all.
fn of_days<DB>(select: &'static str, days: Days, tenant: Option<&str>) -> QueryBuilder<DB>
where
    DB: Database,
    for<'q> i64: Encode<'q, DB> + Type<DB>,
    for<'q> String: Encode<'q, DB> + Type<DB>,
{
    let mut select = QueryBuilder::new(select);
    select.push(" WHERE day >= ");
    select.push_bind(i64::from(days.from().value()));
    select.push(" AND day <= ");
    select.push_bind(i64::from(days.to().value()));
    of_tenant(&mut select, tenant);
    select
}

fn of_tenant<DB>(select: &mut QueryBuilder<DB>, tenant: Option<&str>)
where
    DB: Database,
    for<'q> String: Encode<'q, DB> + Type<DB>,
{
    if let Some(tenant) = tenant {
        select.push(" AND tenant = ").push_bind(tenant.to_owned());
    }
}

//! What is asked of the tables.

use sqlx::{QueryBuilder, Sqlite, SqlitePool};

use super::failed;
use crate::history::{
    Days, ERASED_AT_ONCE, ErasedTenant, GroupBy, HistoryError, HistoryQuery, HistorySample,
    ReceiptSum, SampleQuery, TallyQuery, TallySum, VersionSum,
    row::{erased, receipt, sample, sample_columns, sum, version},
};

pub(super) async fn tallies(
    pool: &SqlitePool,
    query: &TallyQuery,
) -> Result<Vec<TallySum>, HistoryError> {
    let mut select = QueryBuilder::<Sqlite>::new(match query.by {
        GroupBy::Day => "SELECT hour / 24 AS in_group",
        GroupBy::Tenant => "SELECT tenant AS in_group",
        GroupBy::EventType => "SELECT event_type AS in_group",
    });
    let (from, to) = query.days.hours();
    select.push(", outcome, reason, sum(events) AS events FROM dq_metrics_tally WHERE hour >= ");
    select.push_bind(from.value()).push(" AND hour < ");
    select.push_bind(to.value());
    of_tenant(&mut select, query.tenant.as_deref());
    select.push(" GROUP BY in_group, outcome, reason ORDER BY in_group, outcome, reason");
    let select = select.build();
    let rows = select.fetch_all(pool).await.map_err(failed)?;
    rows.iter().map(|row| sum(row, query.by)).collect()
}

pub(super) async fn samples(
    pool: &SqlitePool,
    query: &SampleQuery,
) -> Result<Vec<HistorySample>, HistoryError> {
    let select = concat!("SELECT ", sample_columns!(), " FROM dq_metrics_sample");
    let mut select = of_days(select, query.days, query.tenant.as_deref());
    select.push(" ORDER BY day DESC, reason, writer, slot LIMIT ");
    select.push_bind(query.limit.get());
    let select = select.build();
    let rows = select.fetch_all(pool).await.map_err(failed)?;
    rows.iter().map(sample).collect()
}

pub(super) async fn receipts(
    pool: &SqlitePool,
    query: &HistoryQuery,
) -> Result<Vec<ReceiptSum>, HistoryError> {
    let select =
        "SELECT day, sum(received) AS received, sum(outcomes) AS outcomes FROM dq_metrics_receipt";
    let mut select = of_days(select, query.days, query.tenant.as_deref());
    select.push(" GROUP BY day ORDER BY day");
    let select = select.build();
    let rows = select.fetch_all(pool).await.map_err(failed)?;
    rows.iter().map(receipt).collect()
}

pub(super) async fn versions(
    pool: &SqlitePool,
    query: &HistoryQuery,
) -> Result<Vec<VersionSum>, HistoryError> {
    let select =
        "SELECT event_type, version, lifecycle, sum(events) AS events, max(last_seen) AS last_seen
                  FROM dq_metrics_version";
    let mut select = of_days(select, query.days, query.tenant.as_deref());
    select.push(" GROUP BY event_type, version, lifecycle ORDER BY event_type, version, lifecycle");
    let select = select.build();
    let rows = select.fetch_all(pool).await.map_err(failed)?;
    rows.iter().map(version).collect()
}

pub(super) async fn erased_tenants(
    pool: &SqlitePool,
    after: u64,
) -> Result<Vec<ErasedTenant>, HistoryError> {
    let select =
        "SELECT number, tenant FROM dq_metrics_erased WHERE number > ? ORDER BY number LIMIT ?";
    let select = sqlx::query(select)
        .bind(after.cast_signed())
        .bind(ERASED_AT_ONCE);
    let rows = select.fetch_all(pool).await.map_err(failed)?;
    rows.iter().map(erased).collect()
}

/// Rows of these days, of one tenant or of all.
fn of_days(select: &'static str, days: Days, tenant: Option<&str>) -> QueryBuilder<Sqlite> {
    let mut select = QueryBuilder::new(select);
    select.push(" WHERE day >= ").push_bind(days.from().value());
    select.push(" AND day <= ").push_bind(days.to().value());
    of_tenant(&mut select, tenant);
    select
}

fn of_tenant(select: &mut QueryBuilder<Sqlite>, tenant: Option<&str>) {
    if let Some(tenant) = tenant {
        select.push(" AND tenant = ").push_bind(tenant.to_owned());
    }
}

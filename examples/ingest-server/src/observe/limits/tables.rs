//! What the stores of limits hold, read when it is scraped.

use std::sync::Arc;

use portcullis_ratelimit::observer::BreakerState;
use portcullis_telemetry::{Label, MetricError, Registry};

use crate::{
    backend::{LimitStores, LimitTable},
    observe::{SMALL, count, number},
};

/// Gauges and counters of the tables, and, where limits are shared, of what is lent and left to itself.
pub(crate) fn register_limit_stores(
    registry: &Registry,
    stores: &Arc<LimitStores>,
) -> Result<(), MetricError> {
    let by_table = |read: fn(&LimitTable) -> f64| {
        let stores = Arc::clone(stores);
        move || {
            let tables = stores.tables().into_iter();
            tables.map(move |table| ([table.name], read(&table)))
        }
    };
    let label = || [Label::closed("table", LimitStores::TABLES)];
    registry.observed_gauge_family(
        "ratelimit_table_entries",
        "Keys that a table of limits holds in memory",
        label(),
        SMALL,
        by_table(|table| count(table.entries)),
    )?;
    registry.observed_counter_family(
        "ratelimit_table_evicted",
        "Keys that were dropped to make room for others; a bucket only when nothing is counted in it",
        label(),
        SMALL,
        by_table(|table| number(table.evicted)),
    )?;
    registry.observed_counter_family(
        "ratelimit_table_overflowed",
        "Times a key found no room, and shared a bucket or did without",
        label(),
        SMALL,
        by_table(|table| number(table.overflowed)),
    )?;
    if !stores.are_shared() {
        return Ok(());
    }
    let of = Arc::clone(stores);
    registry.observed_gauge(
        "ratelimit_breaker_state",
        "Whether Redis is asked: 0 it is, 1 one request tries, 2 it is not",
        move || match of.breaker() {
            BreakerState::Closed => 0.0,
            BreakerState::HalfOpen => 1.0,
            _ => 2.0,
        },
    )?;
    let of = Arc::clone(stores);
    registry.observed_gauge(
        "ratelimit_expected_nodes",
        "Processes that the limits are divided by while Redis is down",
        move || f64::from(of.nodes().get()),
    )?;
    let of = Arc::clone(stores);
    registry.observed_gauge(
        "ratelimit_heartbeats_missed",
        "Heartbeats of this process that Redis did not take since the last that it took; 2 and more are an outage",
        move || f64::from(of.missed_beats()),
    )?;
    if !stores.are_leased() {
        return Ok(());
    }
    let of = Arc::clone(stores);
    registry.observed_gauge(
        "ratelimit_lease_outstanding",
        "Tokens that were taken from Redis ahead of time and are not spent yet",
        move || number(of.leased_tokens()),
    )
}

//! What the stores of limits hold, read when it is scraped.

use std::{fmt, sync::Arc};

use portcullis_ratelimit::observer::BreakerState;
use portcullis_telemetry::{
    MetricError, Registry,
    prometheus_client::{
        encoding::{EncodeMetric, MetricEncoder},
        metrics::MetricType,
    },
};

use crate::{
    backend::{LimitStores, LimitTable},
    observe::{count, number},
};

/// Gauges and counters of the tables, and, where limits are shared, of what is lent and left to itself.
pub(crate) fn register_limit_stores(
    registry: &Registry,
    stores: &Arc<LimitStores>,
) -> Result<(), MetricError> {
    let by_table = |kind, read| ByTable {
        stores: Arc::clone(stores),
        kind,
        read,
    };
    registry.register(
        "ratelimit_table_entries",
        "Keys that a table of limits holds in memory",
        by_table(MetricType::Gauge, |table| count(table.entries)),
    )?;
    registry.register(
        "ratelimit_table_evicted",
        "Keys that were dropped to make room for others; a bucket only when nothing is counted in it",
        by_table(MetricType::Counter, |table| number(table.evicted)),
    )?;
    registry.register(
        "ratelimit_table_overflowed",
        "Times a key found no room, and shared a bucket or did without",
        by_table(MetricType::Counter, |table| number(table.overflowed)),
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
        "Heartbeats of this process that Redis did not take since the last that it took",
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

/// One series for each table.
struct ByTable {
    stores: Arc<LimitStores>,
    kind: MetricType,
    read: fn(&LimitTable) -> f64,
}

impl EncodeMetric for ByTable {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        for table in self.stores.tables() {
            let labels = [("table", table.name)];
            let mut series = encoder.encode_family(&labels)?;
            let value = (self.read)(&table);
            match self.kind {
                MetricType::Counter => {
                    series.encode_counter::<[(&str, &str); 0], _, f64>(&value, None)?;
                }
                _ => series.encode_gauge(&value)?,
            }
        }
        Ok(())
    }

    fn metric_type(&self) -> MetricType {
        self.kind
    }
}

impl fmt::Debug for ByTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByTable").finish_non_exhaustive()
    }
}

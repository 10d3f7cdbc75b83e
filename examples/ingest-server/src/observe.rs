//! Connects what the crates report to metrics and logs. Every metric of this service is declared
//! here or below.

mod admin;
mod api_keys;
mod limits;
mod masker;
mod writes;

use std::{num::NonZeroUsize, sync::Arc};

use portcullis_dq_metrics::{Lifecycle, Plan, Quality};
use portcullis_telemetry::{MetricError, Redactor, Registry};
use rand::{SeedableRng as _, rngs::StdRng};

pub(crate) use admin::AdminMetrics;
pub(crate) use api_keys::ApiKeyMetrics;
pub(crate) use limits::LimitMetrics;
pub(crate) use writes::WriteMetrics;

use crate::{
    pipeline::LEAD,
    schemas::{DEFAULT_VERSION, Schemas},
    store::Writer,
};

/// Values that a label of a closed set can have, with room to grow.
const SMALL: NonZeroUsize = NonZeroUsize::new(64).expect("64 is not zero");

/// The data-quality books, with every known schema planned.
pub(crate) fn quality(schemas: &Schemas, redactor: &Arc<Redactor>, seed: [u8; 32]) -> Quality {
    let plan = schemas
        .names()
        .fold(Plan::new(), |plan, (event_type, version, is_latest)| {
            let lifecycle = if is_latest {
                Lifecycle::Current
            } else {
                Lifecycle::Deprecated
            };
            plan.schema(event_type, &version.to_string(), lifecycle)
        });
    let plan = plan.schema(LEAD, &DEFAULT_VERSION.to_string(), Lifecycle::Current);
    let masker = masker::ShapeMasker::new(schemas, Arc::clone(redactor));
    Quality::builder(Arc::new(masker), StdRng::from_seed(seed))
        .plan(plan)
        .build()
}

/// What this service counts beside what telemetry counts itself.
pub(crate) fn register(
    registry: &Registry,
    quality: &Quality,
    writer: &Writer,
) -> Result<(), MetricError> {
    for metric in quality.metrics() {
        registry.register(metric.name(), metric.help(), metric)?;
    }
    let queue = writer.gauge();
    registry.observed_gauge(
        "ingest_write_queue_rows",
        "Rows that wait for a commit or are being committed",
        move || count(queue.rows() - queue.free_rows()),
    )
}

fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}

//! How much of what tenants share is taken, as metrics.

use portcullis_telemetry::{MetricError, Registry};

use super::count;
use crate::pipeline::{BodyAllowances, RequestsInFlight};

pub(crate) fn register_shares(
    registry: &Registry,
    in_flight: &RequestsInFlight,
    bodies: &BodyAllowances,
) -> Result<(), MetricError> {
    let in_flight = in_flight.clone();
    registry.observed_gauge(
        "ingest_requests_in_flight",
        "Requests of the public listener that are worked on, which tenants share",
        move || count(in_flight.count()),
    )?;
    let memory = bodies.memory();
    registry.observed_gauge(
        "ingest_body_bytes",
        "Memory that bodies take, with what is built from them",
        move || count(memory.taken()),
    )
}

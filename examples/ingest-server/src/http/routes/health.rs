//! `GET /healthz` and `GET /readyz`.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use serde_json::{Value, json};

use super::AdminState;

/// How long a component may take to answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The process runs.
pub(super) async fn live() -> Json<Value> {
    Json(json!({ "status": "live" }))
}

/// States in which a component cannot do its part of a request.
const UNREADY: [&str; 3] = ["draining", "down", "full"];

/// The process can take requests: 200, or 503 with what to do. What is merely degraded still
/// serves, and asks for something too.
pub(super) async fn ready(State(state): State<AdminState>) -> Response {
    let components = json!({
        "process": process(&state),
        "database": database(&state).await,
        "write_queue": write_queue(&state),
        "api_keys": api_keys(&state),
        "data_keys": data_keys(),
        "traces": traces(&state),
    });
    let mut members = components.as_object().into_iter().flatten();
    let is_unready =
        members.any(|(_, component)| UNREADY.iter().any(|unready| component["state"] == *unready));
    let (code, status) = if is_unready {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    } else {
        (StatusCode::OK, "ready")
    };
    let answer = json!({ "status": status, "components": components });
    (code, Json(answer)).into_response()
}

fn process(state: &AdminState) -> Value {
    if state.is_draining() {
        json!({ "state": "draining", "action": "send new requests to another instance" })
    } else {
        json!({ "state": "up" })
    }
}

/// Degraded by a failed commit until one succeeds: not ready would keep out the request that can.
async fn database(state: &AdminState) -> Value {
    let clock = &state.services.clock;
    let asked = clock.monotonic();
    let answer = tokio::time::timeout(TIMEOUT, state.services.store.ping()).await;
    let latency_ms = milliseconds(clock.monotonic() - asked);
    match answer {
        Ok(Ok(())) if state.services.writer.gauge().has_failed() => json!({
            "state": "degraded",
            "latency_ms": latency_ms,
            "action": "the last commit failed: free space on the volume, or end what holds the file",
        }),
        Ok(Ok(())) => json!({ "state": "up", "latency_ms": latency_ms }),
        Ok(Err(_)) | Err(_) => json!({
            "state": "down",
            "latency_ms": latency_ms,
            "action": "check that the database file and its volume can be read and written",
        }),
    }
}

fn write_queue(state: &AdminState) -> Value {
    let queue = state.services.writer.gauge();
    let (free, rows) = (queue.free_rows(), queue.rows());
    if free > 0 {
        json!({ "state": "up", "free_rows": free, "rows": rows })
    } else {
        json!({
            "state": "full",
            "free_rows": free,
            "rows": rows,
            "action": "wait, or find what slows the database down",
        })
    }
}

fn api_keys(state: &AdminState) -> Value {
    let confirmed_for = state.services.keys.stats().confirmed_for;
    if confirmed_for.is_zero() {
        json!({
            "state": "degraded",
            "action": "check the database: until revocations are heard of, each request asks it",
        })
    } else {
        json!({ "state": "up", "confirmed_for_ms": milliseconds(confirmed_for) })
    }
}

/// The key-encryption keys are in memory: there is nobody to ask.
fn data_keys() -> Value {
    json!({ "state": "up", "kek": "local" })
}

/// Whether the collector takes the spans is in `telemetry_spans_exported_total`.
fn traces(state: &AdminState) -> Value {
    json!({ "state": if state.exports_traces { "configured" } else { "off" } })
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

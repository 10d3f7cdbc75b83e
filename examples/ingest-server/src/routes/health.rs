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

/// The process can take requests: 200, or 503 with what to do.
pub(super) async fn ready(State(state): State<AdminState>) -> Response {
    let components = json!({
        "process": process(&state),
        "database": database(&state).await,
        "write_queue": write_queue(&state),
    });
    let members = components.as_object().into_iter().flatten();
    let all_up = members
        .into_iter()
        .all(|(_, component)| component["state"] == "up");
    let (code, status) = if all_up {
        (StatusCode::OK, "ready")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready")
    };
    (
        code,
        Json(json!({ "status": status, "components": components })),
    )
        .into_response()
}

fn process(state: &AdminState) -> Value {
    if state.is_draining() {
        json!({ "state": "draining", "action": "send new requests to another instance" })
    } else {
        json!({ "state": "up" })
    }
}

async fn database(state: &AdminState) -> Value {
    let clock = &state.services.clock;
    let asked = clock.now();
    let answer = tokio::time::timeout(TIMEOUT, state.services.store.ping()).await;
    let latency_ms = (clock.now() - asked).whole_milliseconds();
    match answer {
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

//! `GET /healthz`, which is `GET /health` too, and `GET /readyz`.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::StatusCode;
use serde_json::{Value, json};

use super::admin::AdminState;
use crate::http::{answer::Json, query::NoQuery};

/// The process runs.
pub(super) async fn live(_: NoQuery) -> Json<Value> {
    Json(json!({ "status": "live" }))
}

/// The process can take requests: 200, or 503 with what to do. What is merely degraded still
/// serves, and asks for something too.
pub(super) async fn ready(State(state): State<AdminState>, _: NoQuery) -> Response {
    let readiness = state.use_cases.readiness.run().await;
    let status = if readiness.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(readiness)).into_response()
}

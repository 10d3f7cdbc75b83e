//! `POST /v1/events`.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::{
    pipeline::{self, Rejected, Stored},
    problem::Problem,
    services::Services,
};

/// 202 once everything that is acceptable is durable; 422 if nothing is.
pub(super) async fn ingest(
    State(services): State<Arc<Services>>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let stored = pipeline::ingest_events(&services, request).await?;
    Ok(acknowledge(stored))
}

fn acknowledge(stored: Stored) -> Response {
    let accepted = stored.accepted.len();
    let duplicates = stored.duplicates.len();
    let listed: Vec<Value> = stored.rejected.iter().map(list).collect();
    if accepted + duplicates > 0 {
        let answer = json!({ "accepted": accepted, "duplicates": duplicates, "rejected": listed });
        return (StatusCode::ACCEPTED, Json(answer)).into_response();
    }
    let mut rejected = stored.rejected.into_iter();
    let problem = match (rejected.next(), rejected.next()) {
        (Some(only), None) => Problem::from(only.rejection).as_unprocessable(),
        _ => Problem::nothing_acceptable(),
    };
    problem
        .with("accepted", json!(accepted))
        .with("duplicates", json!(duplicates))
        .with("rejected", Value::Array(listed))
        .into_response()
}

fn list(rejected: &Rejected) -> Value {
    let Rejected {
        index,
        id,
        rejection,
    } = rejected;
    json!({ "index": index, "id": id, "reason": rejection.reason, "detail": rejection.detail })
}

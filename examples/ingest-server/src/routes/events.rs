//! `POST /v1/events`.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};

use super::task::to_the_end;
use crate::{
    pipeline::{self, Intake, Rejected, Stored},
    problem::{Problem, limit_fields},
    services::Services,
};

/// 202 once everything that is acceptable is durable; 422 if nothing is.
pub(super) async fn ingest(
    State(services): State<Arc<Services>>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    let stored = to_the_end(request, async move |request| {
        pipeline::ingest(&services, Intake::Events, request).await
    });
    Ok(acknowledge(stored.await?))
}

fn acknowledge(stored: Stored) -> Response {
    let (accepted, duplicates) = (stored.accepted.len(), stored.duplicates.len());
    let rejected: Vec<Value> = stored.rejected.iter().map(list).collect();
    let fields: HeaderMap = limit_fields(&stored.limits).collect();
    if accepted + duplicates > 0 {
        let answer = json!({
            "accepted": accepted, "duplicates": duplicates, "rejected": rejected
        });
        return (StatusCode::ACCEPTED, fields, Json(answer)).into_response();
    }
    let problem = Problem::of_items(stored.rejected.into_iter().map(|one| one.rejection));
    let problem = problem
        .with("accepted", json!(accepted))
        .with("duplicates", json!(duplicates))
        .with("rejected", Value::Array(rejected));
    (fields, problem).into_response()
}

fn list(rejected: &Rejected) -> Value {
    let Rejected { origin, rejection } = rejected;
    json!({
        "index": origin.index,
        "id": origin.id,
        "reason": rejection.reason,
        "detail": rejection.detail,
    })
}

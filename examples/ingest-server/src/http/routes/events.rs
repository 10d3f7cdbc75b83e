//! `POST /v1/events`.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};

use crate::{
    http::{
        answer::Json,
        problem::{Problem, limit_fields},
        query::NoQuery,
        run_detached::run_detached,
    },
    pipeline::{self, Acknowledged, Intake, Origin, Rejected, services::Services},
};

/// 202 once everything that is acceptable is durable; 422 if there is something and nothing is.
pub(super) async fn ingest(
    State(services): State<Arc<Services>>,
    request: Request<Body>,
) -> Result<Response, Problem> {
    pipeline::account_for(&services.quality, NoQuery::read(request.uri()))?;
    let acknowledged = run_detached(request, async move |request| {
        pipeline::ingest(&services, Intake::Events, request).await
    });
    let acknowledged = acknowledged.await;
    Ok(acknowledge(acknowledged.map_err(|problem| {
        problem.accepting(Intake::Events.media_types())
    })?))
}

fn acknowledge(acknowledged: Acknowledged) -> Response {
    let (accepted, duplicates) = (acknowledged.accepted.len(), acknowledged.duplicates.len());
    let rejected: Vec<Value> = acknowledged.rejected.iter().map(list).collect();
    let conflicts: Vec<Value> = acknowledged.conflicts.iter().map(name).collect();
    let fields: HeaderMap = limit_fields(&acknowledged.limits).collect();
    if rejected.is_empty() || accepted + duplicates > 0 {
        let mut answer = json!({
            "accepted": accepted, "duplicates": duplicates, "rejected": rejected
        });
        // Named only where there are some: who knows three members is not given a fourth.
        if !conflicts.is_empty() {
            answer["conflicts"] = Value::Array(conflicts);
        }
        return (StatusCode::ACCEPTED, fields, Json(answer)).into_response();
    }
    let problem = Problem::of_items(acknowledged.rejected.into_iter().map(|one| one.rejection));
    let problem = problem
        .with("accepted", json!(accepted))
        .with("duplicates", json!(duplicates))
        .with("rejected", Value::Array(rejected));
    (fields, problem).into_response()
}

/// An event that is known with other content.
fn name(origin: &Origin) -> Value {
    json!({ "index": origin.index, "id": origin.id })
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

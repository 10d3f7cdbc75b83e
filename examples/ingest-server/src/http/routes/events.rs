//! `POST /v1/events`.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, Request, StatusCode};
use portcullis_pii_detect::Detector;
use serde::Serialize;
use serde_json::json;

use crate::{
    http::{
        answer::Json,
        problem::{Problem, limit_fields},
        query::NoQuery,
        run_detached::run_detached,
    },
    pipeline::{self, Acknowledged, Intake, Origin, Rejected, services::Services},
    quality::Reason,
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
    let rejected: Vec<RejectedItem<'_>> = acknowledged.rejected.iter().map(list).collect();
    let fields = limit_fields(&acknowledged.limits);
    if rejected.is_empty() || accepted + duplicates > 0 {
        let mut answer = Json(Answer {
            accepted,
            conflicts: acknowledged.conflicts.iter().map(name).collect(),
            duplicates,
            rejected,
        })
        .into_response();
        *answer.status_mut() = StatusCode::ACCEPTED;
        answer.headers_mut().extend(fields);
        return answer;
    }
    let fields: HeaderMap = fields.collect();
    let rejected = json!(rejected);
    let problem = Problem::of_items(acknowledged.rejected.into_iter().map(|one| one.rejection));
    let problem = problem
        .with("accepted", json!(accepted))
        .with("duplicates", json!(duplicates))
        .with("rejected", rejected);
    (fields, problem).into_response()
}

/// What became of the events of a request; members are in the order of their names, as everywhere.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    accepted: usize,
    /// Named only where there are some: who knows three members is not given a fourth.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conflicts: Vec<KnownItem<'a>>,
    duplicates: usize,
    rejected: Vec<RejectedItem<'a>>,
}

/// An event that is known with other content.
#[derive(Debug, Serialize)]
struct KnownItem<'a> {
    id: Option<&'a str>,
    index: usize,
}

#[derive(Debug, Serialize)]
struct RejectedItem<'a> {
    detail: &'a str,
    id: Option<&'a str>,
    index: usize,
    reason: Reason,
}

fn name(origin: &Origin) -> KnownItem<'_> {
    KnownItem {
        id: origin.id.as_deref(),
        index: origin.index,
    }
}

/// Whether an id of an event that was refused says nothing about a person: answers are logged on their way.
fn may_be_repeated(id: &str) -> bool {
    Detector::standard().first_kind(id).is_none()
}

fn list(rejected: &Rejected) -> RejectedItem<'_> {
    let Rejected { origin, rejection } = rejected;
    RejectedItem {
        detail: &rejection.detail,
        id: origin.id.as_deref().filter(|id| may_be_repeated(id)),
        index: origin.index,
        reason: rejection.reason,
    }
}

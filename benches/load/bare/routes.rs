//! The requests it takes: those of the service that are measured, with the same answers.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header::AUTHORIZATION},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    reader::{Readers, StoredLead},
    writer::{Event, Lead, Write, Writer, Written},
};
use crate::Failure;

#[derive(Debug)]
pub(super) struct Bare {
    pub(super) writer: Writer,
    pub(super) readers: Readers,
}

#[derive(Debug, Deserialize)]
struct Search {
    email: String,
}

pub(super) fn router(bare: Arc<Bare>) -> Router {
    Router::new()
        .route("/v1/events", post(events))
        .route("/v1/leads", post(lead).get(search))
        .route("/v1/leads/{id}", get(read))
        .with_state(bare)
}

async fn events(
    State(bare): State<Arc<Bare>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(StatusCode, Json<Value>), StatusCode> {
    let events: Vec<Event> = if body.first() == Some(&b'[') {
        serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?
    } else {
        vec![serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?]
    };
    let all = events.len();
    let written = bare.writer.write(tenant(&headers)?, Write::Events(events));
    let Written::Events(new) = written.await? else {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let answer = json!({ "accepted": new, "duplicates": all - new, "rejected": [] });
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

async fn lead(
    State(bare): State<Arc<Bare>>,
    headers: HeaderMap,
    Json(lead): Json<Lead>,
) -> Result<(StatusCode, Json<Value>), StatusCode> {
    let written = bare.writer.write(tenant(&headers)?, Write::Lead(lead));
    let Written::Lead { id, new } = written.await? else {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let status = if new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(json!({ "id": id.to_string() }))))
}

async fn read(
    State(bare): State<Arc<Bare>>,
    headers: HeaderMap,
    Path(id): Path<i64>,
) -> Result<Json<StoredLead>, StatusCode> {
    let found = bare.readers.by_id(&tenant(&headers)?, id);
    found
        .map_err(failed)?
        .map(Json)
        .ok_or(StatusCode::NOT_FOUND)
}

async fn search(
    State(bare): State<Arc<Bare>>,
    headers: HeaderMap,
    Query(search): Query<Search>,
) -> Result<Json<Value>, StatusCode> {
    let found = bare.readers.by_email(&tenant(&headers)?, &search.email);
    let leads: Vec<_> = found.map_err(failed)?.into_iter().collect();
    Ok(Json(json!({ "leads": leads, "next": null })))
}

/// Who sends, taken at its word.
fn tenant(headers: &HeaderMap) -> Result<String, StatusCode> {
    let credential = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let tenant = credential.and_then(|value| value.strip_prefix("Bearer "));
    Ok(tenant.ok_or(StatusCode::UNAUTHORIZED)?.to_owned())
}

fn failed(_: Failure) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}

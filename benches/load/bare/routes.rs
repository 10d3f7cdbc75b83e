//! The requests it takes: those of the service that are measured, with the same answers.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;

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
) -> Result<Response, StatusCode> {
    let events: Vec<Event> = if body.first() == Some(&b'[') {
        parse(&body)?
    } else {
        vec![parse(&body)?]
    };
    let all = events.len();
    let written = bare.writer.write(tenant(&headers)?, Write::Events(events));
    let Written::Events(new) = written.await? else {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let answer = json!({ "accepted": new, "duplicates": all - new, "rejected": [] });
    Ok(answer_with(StatusCode::ACCEPTED, &answer))
}

async fn lead(
    State(bare): State<Arc<Bare>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, StatusCode> {
    let lead: Lead = parse(&body)?;
    let written = bare.writer.write(tenant(&headers)?, Write::Lead(lead));
    let Written::Lead { id, new } = written.await? else {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let status = if new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok(answer_with(status, &json!({ "id": id.to_string() })))
}

async fn read(
    State(bare): State<Arc<Bare>>,
    headers: HeaderMap,
    Path(id): Path<i64>,
) -> Result<Response, StatusCode> {
    let found = bare.readers.by_id(&tenant(&headers)?, id);
    let lead: StoredLead = found.map_err(failed)?.ok_or(StatusCode::NOT_FOUND)?;
    Ok(answer_with(StatusCode::OK, &lead))
}

async fn search(
    State(bare): State<Arc<Bare>>,
    headers: HeaderMap,
    Query(search): Query<Search>,
) -> Result<Response, StatusCode> {
    let found = bare.readers.by_email(&tenant(&headers)?, &search.email);
    let leads: Vec<_> = found.map_err(failed)?.into_iter().collect();
    let answer = json!({ "leads": leads, "next": null });
    Ok(answer_with(StatusCode::OK, &answer))
}

// Not axum's `Json`: its feature turns on others of `serde_json`, in the service too.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, StatusCode> {
    serde_json::from_slice(body).map_err(|_| StatusCode::BAD_REQUEST)
}

fn answer_with(status: StatusCode, answer: &impl Serialize) -> Response {
    match serde_json::to_vec(answer) {
        Ok(body) => (status, [(CONTENT_TYPE, "application/json")], body).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
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

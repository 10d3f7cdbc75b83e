//! `/admin/api-keys`.

use std::num::NonZeroU16;

use axum::{
    Json,
    body::Body,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
};
use http::{Request, StatusCode};
use portcullis_apikey_cache::{Kid, ManageError, TenantId, store::KeyQuery};
use portcullis_dq_metrics::Reason;
use serde::Deserialize;
use serde_json::{Value, json};

use super::AdminState;
use crate::{
    api_key_admin::{IssueError, KeyRequest, describe},
    pipeline::read_body,
    problem::Problem,
    rejection::Rejection,
};

const DEFAULT_PAGE: NonZeroU16 = NonZeroU16::new(100).expect("100 is not zero");
const MAX_PAGE: NonZeroU16 = NonZeroU16::new(1_000).expect("1,000 is not zero");

/// `GET /admin/api-keys?tenant=&after=&limit=`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    tenant: Option<String>,
    after: Option<String>,
    limit: Option<NonZeroU16>,
}

/// The only answer that ever shows the key.
pub(super) async fn issue(
    State(state): State<AdminState>,
    request: Request<Body>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let body = read_body(request).await?;
    let request: KeyRequest = serde_json::from_slice(&body).map_err(|_| {
        Problem::bad_request(
            "send {\"tenant\": text, \"tier\": text, \"scopes\": [text], \"expires_at\"?: text}",
        )
    })?;
    let issued = request
        .issue(&state.services.keys)
        .await
        .map_err(|error| match error {
            IssueError::Invalid(detail) => Problem::bad_request(detail),
            IssueError::Failed(error) => failed(&error),
        })?;
    // EXPOSE: the holder has to learn the key, once.
    let key = issued.key().hazmat_expose();
    tracing::info!(kid = %issued.kid(), "an API key was issued");
    Ok((
        StatusCode::CREATED,
        Json(json!({ "kid": issued.kid().as_str(), "key": key })),
    ))
}

pub(super) async fn list(
    State(state): State<AdminState>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(page) = page.map_err(|_| {
        Problem::bad_request("`tenant`, `after` (a kid) and `limit` (1 to 1000) are known")
    })?;
    let mut query = KeyQuery::first(page.limit.unwrap_or(DEFAULT_PAGE).min(MAX_PAGE));
    if let Some(tenant) = page.tenant {
        let tenant = TenantId::new(&tenant)
            .map_err(|error| Problem::bad_request(format!("`tenant`: {error}")))?;
        query = query.of_tenant(tenant);
    }
    if let Some(kid) = page.after {
        query = query.after(parse_kid(&kid)?);
    }
    let found = state
        .services
        .keys
        .list(&query)
        .await
        .map_err(|error| failed(&error))?;
    let keys: Vec<Value> = found.keys.iter().map(describe).collect();
    Ok(Json(
        json!({ "keys": keys, "next": found.next.map(|kid| kid.to_string()) }),
    ))
}

pub(super) async fn read(
    State(state): State<AdminState>,
    kid: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, Problem> {
    let kid = parse_kid(&kid?)?;
    let key = state
        .services
        .keys
        .record(&kid)
        .await
        .map_err(|error| failed(&error))?;
    Ok(Json(describe(&key)))
}

/// Returns when the revocation is durable; this process refuses the key from then on.
pub(super) async fn revoke(
    State(state): State<AdminState>,
    kid: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let kid = parse_kid(&kid?)?;
    state
        .services
        .keys
        .revoke(&kid)
        .await
        .map_err(|error| failed(&error))?;
    tracing::info!(%kid, "an API key was revoked");
    Ok(StatusCode::NO_CONTENT)
}

fn parse_kid(text: &str) -> Result<Kid, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}

fn failed(error: &ManageError) -> Problem {
    match error {
        ManageError::NotFound => Problem::not_found(),
        ManageError::Store(error) => {
            tracing::error!(
                error = error as &dyn std::error::Error,
                "the key store failed"
            );
            Rejection::plain(Reason::CapacityStoreUnavailable).into()
        }
        error => Problem::bad_request(error.to_string()),
    }
}

//! `/admin/api-keys`.

use std::num::NonZeroU16;

use axum::{
    Extension,
    body::Body,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
};
use http::{Request, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::admin::{AdminState, read_json};
use crate::{
    admin::{Actor, ApiKeyDescription, ApiKeyError, ApiKeyPage, ApiKeyRequest, PageRequest},
    http::{answer::Json, problem::Problem, run_detached::finish},
    pipeline::rejection::Rejection,
    quality::Reason,
};

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
    Extension(actor): Extension<Actor>,
    request: Request<Body>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let value = read_json(request).await?;
    let request: ApiKeyRequest = serde_json::from_value(value).map_err(|_| {
        Problem::bad_request(
            "send {\"tenant\": text, \"tier\": text, \"scopes\": [text], \"expires_at\"?: text}",
        )
    })?;
    let keys = state.use_cases.api_keys;
    let issued = finish(async move { keys.issue(&actor, &request).await }).await??;
    // EXPOSE: the holder has to learn the key, once.
    let key = issued.key.hazmat_expose();
    let answer = json!({ "kid": issued.kid.as_str(), "key": key });
    Ok((StatusCode::CREATED, Json(answer)))
}

pub(super) async fn list(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<ApiKeyPage>, Problem> {
    let Query(page) = page.map_err(|_| {
        Problem::bad_request("`tenant`, `after` (a kid) and `limit` (1 to 1000) are known")
    })?;
    let Page {
        tenant,
        after,
        limit,
    } = page;
    let request = PageRequest {
        tenant,
        after,
        limit,
    };
    Ok(Json(state.use_cases.api_keys.list(&actor, &request).await?))
}

pub(super) async fn read(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    kid: Result<Path<String>, PathRejection>,
) -> Result<Json<ApiKeyDescription>, Problem> {
    let Path(kid) = kid?;
    Ok(Json(state.use_cases.api_keys.read(&actor, &kid).await?))
}

/// Returns when the revocation is durable; this process refuses the key from then on.
pub(super) async fn revoke(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    kid: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let Path(kid) = kid?;
    let keys = state.use_cases.api_keys;
    finish(async move { keys.revoke(&actor, &kid).await }).await??;
    Ok(StatusCode::NO_CONTENT)
}

impl From<ApiKeyError> for Problem {
    fn from(error: ApiKeyError) -> Self {
        match error {
            ApiKeyError::Invalid(detail) => Self::bad_request(detail),
            ApiKeyError::MalformedKid(_) | ApiKeyError::NotFound => Self::not_found(),
            ApiKeyError::Unrecorded(error) => error.into(),
            ApiKeyError::Store(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the key store failed"
                );
                Rejection::plain(Reason::CapacityStoreUnavailable).into()
            }
            ApiKeyError::Other(error) => Self::internal(&error, "an API key was not managed"),
        }
    }
}

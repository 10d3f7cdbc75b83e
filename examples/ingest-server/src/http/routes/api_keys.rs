//! `/admin/api-keys`.

use axum::{
    Extension,
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    response::{IntoResponse as _, Response},
};
use http::{HeaderName, HeaderValue, Request, StatusCode, Uri};
use serde_json::{Value, json};

use super::admin::{AdminState, read_json, read_optional_json};
use crate::{
    admin::{
        Actor, ApiKeyDescription, ApiKeyError, ApiKeyPage, ApiKeyRequest, PageRequest,
        RotatedApiKey, RotationRequest,
    },
    http::{
        answer::Json,
        problem::Problem,
        query::{NoQuery, Query},
        run_detached::finish,
    },
    pipeline::rejection::Rejection,
    quality::Reason,
};

/// The only answer that ever shows the key.
pub(super) async fn issue(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    request: Request<Body>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let value = read_json(request).await?;
    let request: ApiKeyRequest = serde_json::from_value(value).map_err(|_| {
        Problem::bad_request(
            "send {\"tenant\": text, \"tier\": text, \"scopes\": [text], \"not_before\"?: text, \
             \"expires_at\"?: text}",
        )
    })?;
    let keys = state.use_cases.api_keys;
    let issued = finish(async move { keys.issue(&actor, &request).await }).await??;
    // EXPOSE: the holder has to learn the key, once.
    let key = issued.key.hazmat_expose();
    let answer = json!({ "kid": issued.kid.as_str(), "key": key });
    Ok((StatusCode::CREATED, Json(answer)))
}

/// `GET /admin/api-keys?tenant=&after=&limit=`.
pub(super) async fn list(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    target: Uri,
) -> Result<Json<ApiKeyPage>, Problem> {
    let mut query = Query::read(&target, &["tenant", "after", "limit"])?;
    let limit = query.take("limit").map(|text| text.parse());
    let limit = limit.transpose();
    let request = PageRequest {
        tenant: query.take("tenant"),
        after: query.take("after"),
        limit: limit.map_err(|_| Problem::bad_request("`limit` must be a number, 1 to 1000"))?,
    };
    Ok(Json(state.use_cases.api_keys.list(&actor, &request).await?))
}

pub(super) async fn read(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    kid: Result<Path<String>, PathRejection>,
) -> Result<Json<ApiKeyDescription>, Problem> {
    let Path(kid) = kid?;
    Ok(Json(state.use_cases.api_keys.read(&actor, &kid).await?))
}

/// Like [`issue`], the only answer that ever shows the key.
pub(super) async fn rotate(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    kid: Result<Path<String>, PathRejection>,
    request: Request<Body>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let Path(kid) = kid?;
    let value = read_optional_json(request).await?;
    let request: RotationRequest = serde_json::from_value(value).map_err(|_| {
        Problem::bad_request(
            "send {\"overlap_seconds\"?: whole number, \"expires_at\"?: text}, or no body",
        )
    })?;
    let keys = state.use_cases.api_keys;
    let rotated = finish(async move { keys.rotate(&actor, &kid, &request).await }).await??;
    let published = rotated.published();
    let RotatedApiKey {
        new,
        expires_at,
        old_ends_at,
        revoked,
    } = rotated;
    if let Some(revoked) = revoked {
        revoked.observe();
    }
    // EXPOSE: the holder has to learn the key, once.
    let key = new.key.hazmat_expose();
    let answer = json!({
        "kid": new.kid.as_str(), "key": key, "expires_at": expires_at, "old_ends_at": old_ends_at,
        "published": published,
    });
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Returns when the revocation is durable; this process refuses the key from then on. With `?wait=effective`
/// when no other process accepts it any more either.
pub(super) async fn revoke(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    target: Uri,
    kid: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let mut query = Query::read(&target, &["wait"])?;
    let is_awaited = match query.take("wait").as_deref() {
        None => false,
        Some("effective") => true,
        Some(_) => return Err(Problem::bad_request("`wait` must be `effective`")),
    };
    let Path(kid) = kid?;
    let keys = state.use_cases.api_keys;
    let revoked = finish(async move { keys.revoke(&actor, &kid).await }).await??;
    if is_awaited {
        // Who hangs up is counted all the same.
        let effective = finish(revoked.effective()).await?;
        return Ok(Json(effective).into_response());
    }
    let mut answer = StatusCode::NO_CONTENT.into_response();
    if let Some(is_published) = revoked.published {
        let text = if is_published { "true" } else { "false" };
        answer
            .headers_mut()
            .insert(&PUBLISHED, HeaderValue::from_static(text));
    }
    revoked.observe();
    Ok(answer)
}

/// Whether Redis has told other processes of the revocation.
static PUBLISHED: HeaderName = HeaderName::from_static("x-revocation-published");

impl From<ApiKeyError> for Problem {
    fn from(error: ApiKeyError) -> Self {
        match error {
            ApiKeyError::Invalid(detail) => Self::bad_request(detail),
            ApiKeyError::MalformedKid(_) | ApiKeyError::NotFound => Self::not_found(),
            ApiKeyError::NotRotated(error) => Self::conflict(error.to_string()),
            ApiKeyError::Unrecorded(error) => error.into(),
            error @ ApiKeyError::RotatedUnrecorded { .. } => {
                Rejection::new(Reason::CapacityAuditUnavailable, error.to_string()).into()
            }
            ApiKeyError::Erasures(error) => Rejection::from(error).into(),
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

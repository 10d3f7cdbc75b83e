//! `/admin/api-keys`.

use axum::{
    Extension,
    body::Body,
    extract::{Path, State, rejection::PathRejection},
};
use http::{Request, StatusCode, Uri};
use serde_json::{Value, json};

use super::admin::{AdminState, read_object};
use crate::{
    admin::{Actor, ApiKeyDescription, ApiKeyError, ApiKeyPage, PageRequest},
    http::{
        answer::Json,
        problem::Problem,
        query::{NoQuery, Query},
    },
    pipeline::{read_body, rejection::Rejection},
    quality::Reason,
};

/// The only answer that ever shows the key.
pub(super) async fn issue(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    request: Request<Body>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let body = read_body(request).await?;
    let value = read_object(&body)?;
    let request = serde_json::from_value(value).map_err(|_| {
        Problem::bad_request(
            "send {\"tenant\": text, \"tier\": text, \"scopes\": [text], \"expires_at\"?: text}",
        )
    })?;
    let issued = state.use_cases.api_keys.issue(&actor, &request).await?;
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

/// Returns when the revocation is durable; this process refuses the key from then on.
pub(super) async fn revoke(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    kid: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let Path(kid) = kid?;
    state.use_cases.api_keys.revoke(&actor, &kid).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<ApiKeyError> for Problem {
    fn from(error: ApiKeyError) -> Self {
        match error {
            ApiKeyError::Invalid(detail) => Self::bad_request(detail),
            ApiKeyError::MalformedKid(_) | ApiKeyError::NotFound => Self::not_found(),
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

//! `/admin/limits`.

use axum::{Extension, Json, body::Body, extract::State};
use http::{Request, StatusCode};

use super::admin::AdminState;
use crate::{
    admin::{Actor, LimitedTenants},
    http::problem::Problem,
    pipeline::read_body,
};

/// `GET`: the tenants refused most of late.
pub(super) async fn most_limited(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
) -> Json<LimitedTenants> {
    Json(state.limits.most_limited(&actor))
}

/// `PUT`: other policies.
pub(super) async fn replace(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    request: Request<Body>,
) -> Result<StatusCode, Problem> {
    let body = read_body(request).await?;
    let replaced = state.limits.replace(&actor, &body);
    replaced.map_err(|unusable| Problem::bad_request(unusable.to_string()))?;
    Ok(StatusCode::NO_CONTENT)
}

//! `/admin/limits`.

use axum::{Extension, body::Body, extract::State};
use http::{Request, StatusCode};

use super::admin::{AdminState, read_object};
use crate::{
    admin::{Actor, LimitedTenants},
    http::{answer::Json, problem::Problem, query::NoQuery},
    pipeline::read_body,
};

/// `GET`: the tenants refused most of late.
pub(super) async fn most_limited(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
) -> Json<LimitedTenants> {
    Json(state.use_cases.limits.most_limited(&actor))
}

/// `PUT`: other policies, as JSON of the form that the rate limiter documents for TOML.
pub(super) async fn replace(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    request: Request<Body>,
) -> Result<StatusCode, Problem> {
    let body = read_body(request).await?;
    let given = read_object(&body)?;
    let given = serde_json::from_value(given).map_err(|error| unusable(&error))?;
    let replaced = state.use_cases.limits.replace(&actor, &given);
    replaced.map_err(|error| unusable(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

fn unusable(error: &dyn std::error::Error) -> Problem {
    Problem::bad_request(format!("the policies cannot be used: {error}"))
}

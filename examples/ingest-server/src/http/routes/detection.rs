//! `/admin/detection`.

use axum::{Extension, body::Body, extract::State};
use http::{Request, StatusCode};
use serde_json::Value;

use super::admin::{AdminState, read_json};
use crate::{
    admin::Actor,
    http::{answer::Json, problem::Problem, query::NoQuery, run_detached::finish},
};

/// `GET`: the policy in force.
pub(super) async fn read(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
) -> Result<Json<Value>, Problem> {
    Ok(Json(state.use_cases.detection.read(&actor).await?))
}

/// `PUT`: another policy, in the form in which `GET` gives it.
pub(super) async fn replace(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    request: Request<Body>,
) -> Result<StatusCode, Problem> {
    let given = read_json(request).await?;
    let use_cases = state.use_cases;
    finish(async move { use_cases.detection.replace(&actor, given).await }).await??;
    Ok(StatusCode::NO_CONTENT)
}

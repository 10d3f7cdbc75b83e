//! `/admin/limits`.

use axum::{Extension, body::Body, extract::State};
use http::{Request, StatusCode};

use super::admin::{AdminState, read_json};
use crate::{
    admin::{Actor, LimitsReport},
    http::{answer::Json, problem::Problem, query::NoQuery, run_detached::finish},
};

/// `GET`: the policies in force, and the tenants refused most of late.
pub(super) async fn read(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
) -> Result<Json<LimitsReport>, Problem> {
    Ok(Json(state.use_cases.limits.read(&actor).await?))
}

/// `PUT`: other policies, in the form in which `GET` gives them.
pub(super) async fn replace(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    request: Request<Body>,
) -> Result<StatusCode, Problem> {
    let given = read_json(request).await?;
    let use_cases = state.use_cases;
    finish(async move { use_cases.limits.replace(&actor, given).await }).await??;
    Ok(StatusCode::NO_CONTENT)
}

//! `/admin/cache`.

use axum::{Extension, body::Body, extract::State};
use http::{Request, StatusCode};

use super::admin::{AdminState, read_json};
use crate::{
    admin::{Actor, KeyCacheReport},
    http::{answer::Json, problem::Problem, query::NoQuery, run_detached::finish},
};

/// `GET`: what the cache of API keys has done, and whether it knows of every revocation.
pub(super) async fn read(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
) -> Json<KeyCacheReport> {
    Json(state.use_cases.key_cache.read(&actor))
}

/// `POST`: has every process forget one key, the keys of one tenant, or all. Returns when that is durable;
/// this process asks the store from then on.
pub(super) async fn invalidate(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    request: Request<Body>,
) -> Result<StatusCode, Problem> {
    let given = read_json(request).await?;
    let cache = state.use_cases.key_cache;
    finish(async move { cache.invalidate(&actor, given).await }).await??;
    Ok(StatusCode::NO_CONTENT)
}

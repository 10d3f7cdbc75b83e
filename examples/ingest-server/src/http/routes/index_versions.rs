//! `/admin/index`: the versions of the blind indexes.

use axum::{Extension, body::Body, extract::State};
use http::{Request, StatusCode};
use serde_json::{Value, json};

use super::{admin::AdminState, data_keys::read};
use crate::{
    admin::{Actor, IndexRequest, JobStatus, RotatedIndex},
    http::{answer::Json, problem::Problem, query::NoQuery, run_detached::finish},
};

/// Which versions are live, and how far a rotation of this process has come.
pub(super) async fn status(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
) -> Result<Json<Value>, Problem> {
    let versions = state.use_cases.index.status(&actor).await?;
    let rotation = state.use_cases.reencryption.index_status();
    Ok(Json(json!({ "versions": versions, "rotation": rotation })))
}

/// Answers when it has begun; [`status`] says how far it has come.
pub(super) async fn rotate(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    request: Request<Body>,
) -> Result<(StatusCode, Json<JobStatus<RotatedIndex>>), Problem> {
    let request: IndexRequest = read(request, VERSION).await?;
    let started = state.use_cases.reencryption.start_index(&actor, request);
    let started = started.await?;
    Ok((StatusCode::ACCEPTED, Json(started)))
}

pub(super) async fn abandon(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    request: Request<Body>,
) -> Result<StatusCode, Problem> {
    let request: IndexRequest = read(request, VERSION).await?;
    let index = state.use_cases.index;
    finish(async move { index.abandon(&actor, request).await }).await??;
    Ok(StatusCode::NO_CONTENT)
}

const VERSION: &str = "send {\"version\"?: number from 1 to 65535}, or no body";

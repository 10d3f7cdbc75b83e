//! `/admin/erasures`.

use axum::{Extension, body::Body, extract::State};
use http::Request;

use super::admin::{AdminState, read_json};
use crate::{
    admin::{Actor, Erased, ErasureRequest},
    http::{answer::Json, problem::Problem, query::NoQuery, run_detached::finish},
};

/// Answers when it is erased.
pub(super) async fn erase(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    request: Request<Body>,
) -> Result<Json<Erased>, Problem> {
    let value = read_json(request).await?;
    let request: ErasureRequest = serde_json::from_value(value).map_err(|_| {
        Problem::bad_request("send {\"tenant\": text} with \"lead\": text or \"all\": true")
    })?;
    let erasures = state.use_cases.erasures;
    let erased = finish(async move { erasures.erase(&actor, &request).await });
    Ok(Json(erased.await??))
}

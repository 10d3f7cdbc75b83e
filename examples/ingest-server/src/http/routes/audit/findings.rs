//! `/admin/audit/findings`: what the rules have found, closed.

use axum::{
    Extension,
    body::Body,
    extract::{Path, State, rejection::PathRejection},
};
use http::Request;

use super::number;
use crate::{
    admin::{Actor, ClosedFinding, ClosingRequest},
    http::{
        answer::Json,
        problem::Problem,
        query::NoQuery,
        routes::admin::{AdminState, read_optional_json},
        run_detached::finish,
    },
};

/// `POST /admin/audit/findings/{n}/close`: answers when that is on record.
pub(in crate::http::routes) async fn close(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    n: Result<Path<u64>, PathRejection>,
    request: Request<Body>,
) -> Result<Json<ClosedFinding>, Problem> {
    let n = number(n)?;
    let value = read_optional_json(request).await?;
    let request: ClosingRequest = serde_json::from_value(value)
        .map_err(|_| Problem::bad_request("send {\"code\"?: text} or no body"))?;
    let audit = state.use_cases.audit;
    let closed = finish(async move { audit.close_finding(&actor, n, &request).await });
    Ok(Json(closed.await??))
}

//! `/admin/audit/erasures`: what lies beside the log and goes before its time.

use axum::{Extension, body::Body, extract::State};
use http::{Request, Uri};

use crate::{
    admin::{Actor, AuditErasureRequest, AuditPage, ErasedParts},
    http::{
        answer::Json,
        problem::Problem,
        query::{NoQuery, Query},
        routes::admin::{AdminState, read_json},
        run_detached::finish,
    },
};

/// `GET /admin/audit/erasures`: those that were done, newest first.
pub(in crate::http::routes) async fn list(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    target: Uri,
) -> Result<Json<AuditPage>, Problem> {
    let mut query = Query::read(&target, &["limit", "cursor"])?;
    let (limit, cursor) = (query.take("limit"), query.take("cursor"));
    let audit = &state.use_cases.audit;
    Ok(Json(audit.erasures(&actor, limit, cursor).await?))
}

/// `POST /admin/audit/erasures`: answers when it is erased.
pub(in crate::http::routes) async fn erase(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    _: NoQuery,
    request: Request<Body>,
) -> Result<Json<ErasedParts>, Problem> {
    let value = read_json(request).await?;
    let request: AuditErasureRequest = serde_json::from_value(value).map_err(|_| {
        Problem::bad_request(
            "send one of {\"event\": number}, {\"actor\": id}, {\"resource\": id}, {\"tenant\": name}",
        )
    })?;
    let audit = state.use_cases.audit;
    let erased = finish(async move { audit.erase(&actor, &request).await });
    Ok(Json(erased.await??))
}

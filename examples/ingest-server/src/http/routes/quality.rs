//! `/admin/quality`.

use axum::{
    Extension,
    extract::State,
    response::{Html, IntoResponse as _, Response},
};
use http::{HeaderValue, Uri, header::CONTENT_SECURITY_POLICY};
use portcullis_dq_metrics::report::Report;

use super::admin::AdminState;
use crate::{
    admin::{Actor, Samples},
    http::{answer::Json, problem::Problem, query::Query},
};

/// `?tenant=`; without it, of all tenants.
fn tenant(target: &Uri) -> Result<Option<String>, Problem> {
    Ok(Query::read(target, &["tenant"])?.take("tenant"))
}

/// `GET /admin/quality`: outcomes, reasons, scores and versions.
pub(super) async fn report(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    target: Uri,
) -> Result<Json<Report>, Problem> {
    let tenant = tenant(&target)?;
    let report = state.use_cases.quality.report(&actor, tenant.as_deref());
    Ok(Json(report.await?))
}

/// `GET /admin/quality/report`: the same for people.
pub(super) async fn page(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    target: Uri,
) -> Result<Response, Problem> {
    let tenant = tenant(&target)?;
    let report = state.use_cases.quality.report(&actor, tenant.as_deref());
    let page = report.await?.html().to_string();
    // The page brings its own style and asks for nothing else.
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
    Ok(([(CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response())
}

/// `GET /admin/quality/samples`: masked samples of what was discarded, by reason.
pub(super) async fn samples(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    target: Uri,
) -> Result<Json<Samples>, Problem> {
    let tenant = tenant(&target)?;
    let samples = state.use_cases.quality.samples(&actor, tenant.as_deref());
    Ok(Json(samples.await?))
}

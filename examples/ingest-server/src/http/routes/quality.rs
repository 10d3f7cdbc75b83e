//! `/admin/quality`.

use std::collections::BTreeMap;

use axum::{
    Extension,
    extract::{Query, State, rejection::QueryRejection},
    response::{Html, IntoResponse as _, Response},
};
use http::{HeaderValue, header::CONTENT_SECURITY_POLICY};
use portcullis_dq_metrics::report::Report;

use super::admin::AdminState;
use crate::{
    admin::{Actor, Samples},
    http::{answer::Json, problem::Problem},
};

/// `?tenant=`; without it, of all tenants.
type Parameters = Result<Query<BTreeMap<String, String>>, QueryRejection>;

/// `GET /admin/quality`: outcomes, reasons, scores and versions.
pub(super) async fn report(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    parameters: Parameters,
) -> Result<Json<Report>, Problem> {
    let Query(parameters) = parameters?;
    let tenant = parameters.get("tenant").map(String::as_str);
    Ok(Json(state.use_cases.quality.report(&actor, tenant)))
}

/// `GET /admin/quality/report`: the same for people.
pub(super) async fn page(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    parameters: Parameters,
) -> Result<Response, Problem> {
    let Query(parameters) = parameters?;
    let tenant = parameters.get("tenant").map(String::as_str);
    let page = state
        .use_cases
        .quality
        .report(&actor, tenant)
        .html()
        .to_string();
    // The page brings its own style and asks for nothing else.
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
    Ok(([(CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response())
}

/// `GET /admin/quality/samples`: masked samples of what was discarded, by reason.
pub(super) async fn samples(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    parameters: Parameters,
) -> Result<Json<Samples>, Problem> {
    let Query(parameters) = parameters?;
    let tenant = parameters.get("tenant").map(String::as_str);
    Ok(Json(state.use_cases.quality.samples(&actor, tenant)))
}

//! `/admin/quality`.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Query, State},
    response::{Html, IntoResponse, Response},
};
use http::{HeaderValue, header::CONTENT_SECURITY_POLICY};
use serde_json::{Value, json};

use super::AdminState;

/// `?tenant=`; without it, of all tenants.
type Parameters = Query<BTreeMap<String, String>>;

/// `GET /admin/quality`: outcomes, reasons, scores and versions.
pub(super) async fn report(
    State(state): State<AdminState>,
    Query(parameters): Parameters,
) -> impl IntoResponse {
    let tenant = parameters.get("tenant").map(String::as_str);
    Json(state.services.quality.report(tenant))
}

/// `GET /admin/quality/report`: the same for people.
pub(super) async fn page(
    State(state): State<AdminState>,
    Query(parameters): Parameters,
) -> Response {
    let tenant = parameters.get("tenant").map(String::as_str);
    let page = state.services.quality.report(tenant).html().to_string();
    // The page brings its own style and asks for nothing else.
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
    ([(CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response()
}

/// `GET /admin/quality/samples`: masked samples of what was discarded, by reason.
pub(super) async fn samples(
    State(state): State<AdminState>,
    Query(parameters): Parameters,
) -> Json<Value> {
    let tenant = parameters.get("tenant").map(String::as_str);
    Json(json!({ "samples": state.services.quality.samples(tenant) }))
}

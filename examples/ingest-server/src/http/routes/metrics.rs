//! `GET /metrics`.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, CONTENT_TYPE},
};
use portcullis_telemetry::Registry;

use super::admin::AdminState;
use crate::http::{problem::Problem, query::NoQuery};

/// OpenMetrics or Prometheus text, as the scraper asks for.
pub(super) async fn scrape(
    State(state): State<AdminState>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    exposition(&state.registry, &headers)
}

/// What is registered, in the form that is asked for.
pub(crate) fn exposition(registry: &Registry, headers: &HeaderMap) -> Result<Response, Problem> {
    // Several lines are one list (RFC 9110, 5.3).
    let lines = headers.get_all(ACCEPT).iter();
    let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
    let exposition = registry
        .render(Some(&lines.join(", ")))
        .map_err(|error| Problem::internal(&error, "the metrics cannot be written"))?;
    let content_type = HeaderValue::from_static(exposition.content_type);
    Ok(([(CONTENT_TYPE, content_type)], exposition.body).into_response())
}

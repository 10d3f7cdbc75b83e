//! `GET /metrics`.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, CONTENT_TYPE},
};

use super::admin::AdminState;
use crate::http::problem::Problem;

/// OpenMetrics or Prometheus text, as the scraper asks for.
pub(super) async fn scrape(
    State(state): State<AdminState>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    let exposition = state
        .registry
        .render(accept)
        .map_err(|error| Problem::internal(&error, "the metrics cannot be written"))?;
    let content_type = HeaderValue::from_static(exposition.content_type);
    Ok(([(CONTENT_TYPE, content_type)], exposition.body).into_response())
}

//! `/admin/limits`.

use axum::{Json, body::Body, extract::State};
use http::{Request, StatusCode};
use portcullis_ratelimit::policy::PoliciesBuilder;
use serde_json::{Value, json};

use super::AdminState;
use crate::{limits, pipeline::read_body, problem::Problem};

/// `GET`: the tenants refused most of late.
pub(super) async fn most_limited(State(state): State<AdminState>) -> Json<Value> {
    let tenants = state.services.limiter.most_limited();
    let tenants: Vec<Value> = tenants
        .into_iter()
        .map(|tenant| {
            json!({
                "tenant": tenant.tenant,
                "refusals": tenant.refusals,
                "overcount": tenant.overcount,
                "seconds_ago": tenant.last_refused.as_secs(),
            })
        })
        .collect();
    Json(json!({ "limited": tenants }))
}

/// `PUT`: other policies, as JSON of the form that the rate limiter documents for TOML; what they
/// leave out is as at the start. They hold at once, until the process ends.
pub(super) async fn replace(
    State(state): State<AdminState>,
    request: Request<Body>,
) -> Result<StatusCode, Problem> {
    let body = read_body(request).await?;
    let given: PoliciesBuilder = serde_json::from_slice(&body).map_err(|error| unusable(&error))?;
    let policies = limits::complete(given).map_err(|error| unusable(&error))?;
    state.services.limiter.replace_policies(policies);
    tracing::info!("the limits were replaced");
    Ok(StatusCode::NO_CONTENT)
}

fn unusable(error: &dyn std::error::Error) -> Problem {
    Problem::bad_request(format!("the policies cannot be used: {error}"))
}

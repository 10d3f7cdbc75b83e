//! The HTTP interface.

mod admin;
mod api_keys;
mod events;
mod health;
mod leads;
mod limits;
mod metrics;
mod quality;

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::MatchedPath,
    middleware,
    routing::{get, post},
};
use http::{Method, Request};

use super::{check_head, guards, problem::Problem};
use crate::pipeline::{RequestsInFlight, services::Services};

pub(crate) use self::admin::AdminState;
pub(crate) use super::guards::Guards;

/// Where records come in.
const EVENTS: &str = "/v1/events";
const LEADS: &str = "/v1/leads";

const LIVE: &str = "/healthz";
const READY: &str = "/readyz";
const ALSO_LIVE: &str = "/health";
const HEALTH: [&str; 3] = [LIVE, ALSO_LIVE, READY];

/// Questions after health that are answered at once, beside the other requests.
const HEALTH_IN_FLIGHT: usize = 16;

/// What tenants see.
pub(crate) fn public(services: Arc<Services>, guards: Guards) -> Router {
    let guards = guards
        .with_bounded_networks()
        .with_accounting(&services.quality, brings_records);
    let routes = Router::new()
        .route(EVENTS, post(events::ingest))
        .route(LEADS, post(leads::ingest).get(leads::find))
        .route("/v1/leads/{id}", get(leads::read))
        .with_state(services);
    guarded(routes, guards)
}

/// Whether a request comes with events or a lead.
fn brings_records(request: &Request<Body>) -> bool {
    let path = request.extensions().get::<MatchedPath>();
    request.method() == Method::POST
        && path.is_some_and(|path| [EVENTS, LEADS].contains(&path.as_str()))
}

/// Whether a request asks how the service does, which is answered whatever else goes on.
fn asks_for_health(request: &Request<Body>) -> bool {
    let path = request.extensions().get::<MatchedPath>();
    path.is_some_and(|path| HEALTH.contains(&path.as_str()))
}

/// What operators see.
pub(crate) fn admin(state: AdminState, guards: Guards) -> Router {
    let protected = Router::new()
        .route("/admin/api-keys", get(api_keys::list).post(api_keys::issue))
        .route(
            "/admin/api-keys/{kid}",
            get(api_keys::read).delete(api_keys::revoke),
        )
        .route(
            "/admin/limits",
            get(limits::most_limited).put(limits::replace),
        )
        .route("/admin/quality", get(quality::report))
        .route("/admin/quality/report", get(quality::page))
        .route("/admin/quality/samples", get(quality::samples))
        .route("/metrics", get(metrics::scrape))
        .route_layer(middleware::from_fn_with_state(
            state.clone(),
            admin::require_token,
        ));
    let routes = Router::new()
        .route(LIVE, get(health::live))
        // What many balancers and platforms ask for by default.
        .route(ALSO_LIVE, get(health::live))
        .route(READY, get(health::ready))
        .merge(protected)
        .with_state(state);
    let guards = guards.with_apart(RequestsInFlight::new(HEALTH_IN_FLIGHT), asks_for_health);
    guarded(routes, guards)
}

/// What stands around every route; the last layer is the outermost.
fn guarded(routes: Router, guards: Guards) -> Router {
    routes
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(middleware::from_fn_with_state(
            guards.clone(),
            guards::admit_request,
        ))
        .layer(middleware::from_fn_with_state(
            guards.clone(),
            check_head::check_head,
        ))
        .layer(middleware::from_fn(guards::answer_panics))
        .layer(middleware::map_response(guards::add_security_headers))
        .layer(guards.trace)
}

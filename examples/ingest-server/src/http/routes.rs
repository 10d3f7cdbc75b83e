//! The HTTP interface.

mod admin;
mod admission;
mod api_keys;
mod audit;
mod data_keys;
mod detection;
mod erasures;
mod events;
mod health;
mod index_versions;
mod key_cache;
mod leads;
mod limits;
mod metrics;
mod policies;
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

use super::{around_route, problem::Problem};
use crate::pipeline::{RequestsInFlight, services::Services};

pub(crate) use self::admin::AdminState;
pub(crate) use super::guards::Guards;

/// Where records come in.
const EVENTS: &str = "/v1/events";
const LEADS: &str = "/v1/leads";
const LEAD: &str = "/v1/leads/{id}";

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
        .route(
            LEAD,
            get(leads::read).patch(leads::patch).delete(leads::erase),
        )
        .with_state(services);
    guarded(routes, guards)
}

/// Whether a request comes with events or a lead.
fn brings_records(request: &Request<Body>) -> bool {
    let path = request.extensions().get::<MatchedPath>();
    let paths: &[&str] = match *request.method() {
        Method::POST => &[EVENTS, LEADS],
        Method::PATCH => &[LEAD],
        _ => &[],
    };
    path.is_some_and(|path| paths.contains(&path.as_str()))
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
        .route("/admin/api-keys/{kid}/rotate", post(api_keys::rotate))
        .route("/admin/cache", get(key_cache::read).post(key_cache::invalidate))
        .route("/admin/cache/invalidate", post(key_cache::invalidate))
        .route("/admin/limits", get(limits::read).put(limits::replace))
        .route(
            "/admin/detection",
            get(detection::read).put(detection::replace),
        )
        .route("/admin/audit/events", get(audit::find))
        .route("/admin/keys", get(data_keys::list))
        .route("/admin/keys/rotate", post(data_keys::rotate))
        .route("/admin/keys/rewrap", post(data_keys::rewrap))
        .route("/admin/keys/verify", post(data_keys::verify))
        .route("/admin/keys/{key}/disable", post(data_keys::disable))
        .route("/admin/keys/{key}/destroy", post(data_keys::destroy))
        .route("/admin/keys/{key}/restore", post(data_keys::restore))
        .route(
            "/admin/reencryption",
            get(data_keys::reencryption).post(data_keys::reencrypt),
        )
        .route("/admin/erasures", post(erasures::erase))
        .route("/admin/index", get(index_versions::status))
        .route("/admin/index/rotate", post(index_versions::rotate))
        .route("/admin/index/abandon", post(index_versions::abandon))
        .route("/admin/quality", get(quality::report))
        .route("/admin/quality/report", get(quality::page))
        .route("/admin/quality/samples", get(quality::samples))
        .route_layer(middleware::from_fn_with_state(
            state.clone(),
            admission::limit_operators,
        ))
        // Without limits: who looks at how the service does makes it no worse.
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

/// What stands around every route: its trace, and in it the guards.
fn guarded(routes: Router, guards: Guards) -> Router {
    let trace = guards.trace.clone();
    routes
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(middleware::from_fn_with_state(
            Arc::new(guards),
            around_route::around_route,
        ))
        .layer(trace)
}

#[cfg(test)]
mod tests;

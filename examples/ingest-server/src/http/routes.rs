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
mod own_audit;
mod policies;
mod quality;
mod route;
mod slo;
mod status;

use std::sync::Arc;

use axum::{Router, body::Body, extract::MatchedPath, middleware};
use http::{Method, Request};

use self::route::{Route, delete, get, patch, post, put, serve};
use super::{around_route, problem::Problem};
use crate::{
    audit::{
        Audited::{InTheClear, Must, Never, Noted, Summed},
        actions as on_record,
    },
    degradation::Degradations,
    pipeline::{RequestsInFlight, services::Services},
};

pub(crate) use self::{admin::AdminState, metrics::exposition};
pub(crate) use super::guards::Guards;

/// Where records come in.
const EVENTS: &str = "/v1/events";
const LEADS: &str = "/v1/leads";
const LEAD: &str = "/v1/leads/{id}";

/// Asked without a key.
const STATUS: &str = "/v1/status";

const LIVE: &str = "/healthz";
const READY: &str = "/readyz";
const ALSO_LIVE: &str = "/health";
const METRICS: &str = "/metrics";
const HEALTH: [&str; 3] = [LIVE, ALSO_LIVE, READY];

/// Why nobody has it on record.
const ASKED_ALL_THE_TIME: &str =
    "asked every few seconds, answered whatever else fails, and shows nothing of anybody";

/// Questions after health that are answered at once, beside the other requests.
const HEALTH_IN_FLIGHT: usize = 16;

/// What tenants ask for.
fn of_tenants() -> Vec<Route<Arc<Services>>> {
    vec![
        post(EVENTS, Summed(on_record::EVENT_WRITE), events::ingest),
        post(LEADS, Summed(on_record::LEAD_WRITE), leads::ingest),
        get(LEADS, Must(on_record::LEAD_SEARCH), leads::find),
        get(LEAD, InTheClear(on_record::LEAD_READ), leads::read),
        patch(LEAD, Summed(on_record::LEAD_WRITE), leads::patch),
        delete(LEAD, Must(on_record::LEAD_ERASE), leads::erase),
        get("/v1/audit", Must(on_record::AUDIT_READ), own_audit::find),
        get(
            "/v1/audit/{n}/proof",
            Must(on_record::AUDIT_READ),
            own_audit::proof,
        ),
    ]
}

/// What anyone may ask for.
fn of_callers() -> Vec<Route<Degradations>> {
    vec![get(STATUS, Never(ASKED_ALL_THE_TIME), status::status)]
}

/// What operators ask for.
#[rustfmt::skip]
fn of_operators() -> Vec<Route<AdminState>> {
    vec![
        get("/admin/api-keys", Must(on_record::API_KEY_LIST), api_keys::list),
        post("/admin/api-keys", Must(on_record::API_KEY_ISSUE), api_keys::issue),
        get("/admin/api-keys/{kid}", Must(on_record::API_KEY_READ), api_keys::read),
        delete("/admin/api-keys/{kid}", Must(on_record::API_KEY_REVOKE), api_keys::revoke),
        post("/admin/api-keys/{kid}/rotate", Must(on_record::API_KEY_ROTATE), api_keys::rotate),
        get("/admin/cache", Noted(on_record::KEY_CACHE_READ), key_cache::read),
        post("/admin/cache", Must(on_record::KEY_CACHE_INVALIDATE), key_cache::invalidate),
        post("/admin/cache/invalidate", Must(on_record::KEY_CACHE_INVALIDATE), key_cache::invalidate),
        get("/admin/limits", Must(on_record::LIMITS_READ), limits::read),
        put("/admin/limits", Must(on_record::LIMITS_REPLACE), limits::replace),
        get("/admin/detection", Must(on_record::DETECTION_READ), detection::read),
        put("/admin/detection", Must(on_record::DETECTION_REPLACE), detection::replace),
        get("/admin/audit/events", Must(on_record::AUDIT_READ), audit::find),
        get("/admin/audit/events/{n}", Must(on_record::AUDIT_READ), audit::read),
        get("/admin/audit/events/{n}/proof", Must(on_record::AUDIT_READ), audit::proof),
        get("/admin/audit/status", Must(on_record::AUDIT_READ), audit::status),
        post("/admin/audit/verify", Must(on_record::AUDIT_VERIFY), audit::verify),
        get("/admin/audit/report", Must(on_record::AUDIT_READ), audit::report::report),
        get("/admin/audit/stream", Must(on_record::AUDIT_READ), audit::stream::stream),
        post("/admin/audit/findings/{n}/close", Must(on_record::AUDIT_FINDING_CLOSED), audit::findings::close),
        get("/admin/audit/erasures", Must(on_record::AUDIT_READ), audit::erasures::list),
        post("/admin/audit/erasures", Must(on_record::AUDIT_ERASE), audit::erasures::erase),
        get("/admin/audit/earlier", Must(on_record::AUDIT_READ), audit::earlier),
        get("/audit/log/{*path}", Must(on_record::AUDIT_READ), audit::file),
        get("/admin/keys", Must(on_record::DATA_KEY_LIST), data_keys::list),
        post("/admin/keys/rotate", Must(on_record::DATA_KEY_ROTATE), data_keys::rotate),
        post("/admin/keys/rewrap", Must(on_record::DATA_KEY_REWRAP), data_keys::rewrap),
        post("/admin/keys/verify", Must(on_record::DATA_KEY_VERIFY), data_keys::verify),
        post("/admin/keys/{key}/disable", Must(on_record::DATA_KEY_DISABLE), data_keys::disable),
        post("/admin/keys/{key}/destroy", Must(on_record::DATA_KEY_DESTROY), data_keys::destroy),
        post("/admin/keys/{key}/restore", Must(on_record::DATA_KEY_RESTORE), data_keys::restore),
        get("/admin/reencryption", Must(on_record::DATA_KEY_REENCRYPTION), data_keys::reencryption),
        post("/admin/reencryption", Must(on_record::DATA_KEY_REENCRYPT), data_keys::reencrypt),
        post("/admin/erasures", Must(on_record::TENANT_ERASE), erasures::erase),
        get("/admin/index", Must(on_record::INDEX_READ), index_versions::status),
        post("/admin/index/rotate", Must(on_record::INDEX_ROTATE), index_versions::rotate),
        post("/admin/index/abandon", Must(on_record::INDEX_ABANDON), index_versions::abandon),
        get("/admin/quality", Must(on_record::QUALITY_READ), quality::report),
        get("/admin/quality/report", Must(on_record::QUALITY_READ), quality::page),
        get("/admin/quality/samples", Must(on_record::QUALITY_SAMPLES), quality::samples),
        get("/admin/slo", Must(on_record::SLO_READ), slo::read),
    ]
}

/// What operators' programs ask for: without limits, since it is no more work the worse the service does.
fn of_scrapers() -> Vec<Route<AdminState>> {
    vec![get(METRICS, Never(ASKED_ALL_THE_TIME), metrics::scrape)]
}

/// What anyone on the admin listener may ask for.
fn of_anyone() -> Vec<Route<AdminState>> {
    vec![
        get(LIVE, Never(ASKED_ALL_THE_TIME), health::live),
        // What many balancers and platforms ask for by default.
        get(ALSO_LIVE, Never(ASKED_ALL_THE_TIME), health::live),
        get(READY, Never(ASKED_ALL_THE_TIME), health::ready),
    ]
}

/// What tenants see. How the service does is answered when all others are too many, and held to no objective: it
/// would hide what becomes of the others.
pub(crate) fn public(
    services: Arc<Services>,
    degradations: Degradations,
    guards: Guards,
) -> Router {
    let guards = guards
        .with_bounded_networks()
        .with_accounting(&services.quality, brings_records)
        .with_objectives(&services.objectives)
        .with_apart(RequestsInFlight::new(HEALTH_IN_FLIGHT), asks_for_status);
    let of_callers = serve(of_callers()).with_state(degradations);
    let routes = serve(of_tenants()).with_state(services).merge(of_callers);
    guarded(routes, guards)
}

/// Whether a caller asks how the service does.
fn asks_for_status(request: &Request<Body>) -> bool {
    let path = request.extensions().get::<MatchedPath>();
    path.is_some_and(|path| path.as_str() == STATUS)
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
    let protected = serve(of_operators())
        .route_layer(middleware::from_fn_with_state(
            state.clone(),
            admission::limit_operators,
        ))
        .merge(serve(of_scrapers()))
        .route_layer(middleware::from_fn_with_state(
            state.clone(),
            admin::require_token,
        ));
    let routes = serve(of_anyone()).merge(protected).with_state(state);
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

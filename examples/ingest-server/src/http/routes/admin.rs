//! Who may use the admin listener.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    body::Body,
    extract::State,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{Request, header::AUTHORIZATION};
use portcullis_telemetry::{Guard, Registry};

use crate::{config::Config, http::problem::Problem, pipeline::services::Services};

/// What admin handlers work with.
#[derive(Debug, Clone)]
pub(crate) struct AdminState {
    pub(crate) services: Arc<Services>,
    pub(crate) config: Arc<Config>,
    pub(crate) registry: Registry,
    pub(super) exports_traces: bool,
    draining: Arc<AtomicBool>,
}

impl AdminState {
    pub(crate) fn new(services: Arc<Services>, config: Arc<Config>, telemetry: &Guard) -> Self {
        Self {
            services,
            config,
            registry: telemetry.registry().clone(),
            exports_traces: telemetry.has_exporter(),
            draining: Arc::default(),
        }
    }

    /// From now on the service is not ready, so that nothing new is sent to it.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// Lets a request pass that carries the admin token.
pub(super) async fn require_token(
    State(state): State<AdminState>,
    request: Request<Body>,
    next: Next,
) -> Response {
    let header = request
        .headers()
        .get(AUTHORIZATION)
        .map(|value| value.as_bytes());
    let token = header.and_then(|value| value.strip_prefix(b"Bearer "));
    if token.is_some_and(|token| state.config.secrets.admin_token.matches(token)) {
        next.run(request).await
    } else {
        Problem::admin_unauthorized().into_response()
    }
}

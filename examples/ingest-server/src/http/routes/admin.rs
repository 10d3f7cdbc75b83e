//! Who may use the admin listener, and what its handlers work with.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use axum::{
    body::Body,
    extract::State,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::Request;
use portcullis_telemetry::Registry;
use serde_json::Value;

use crate::{
    admin::{Actor, UseCases},
    config::Config,
    http::{bearer::bearer_token, problem::Problem},
    json,
    pipeline::{ClientAddress, rejection::Rejection},
};

/// What admin handlers work with.
#[derive(Debug, Clone)]
pub(crate) struct AdminState {
    pub(crate) use_cases: UseCases,
    pub(crate) registry: Registry,
    pub(crate) config: Arc<Config>,
}

/// Lets a request pass that carries the admin token, and notes whose it is.
pub(super) async fn require_token(
    State(state): State<AdminState>,
    mut request: Request<Body>,
    next: Next,
) -> Response {
    let token = bearer_token(request.headers());
    if token.is_some_and(|token| state.config.secrets.admin_token.matches(token)) {
        let address = request.extensions().get::<ClientAddress>().copied();
        let unknown = ClientAddress(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let ClientAddress(address) = address.unwrap_or(unknown);
        request
            .extensions_mut()
            .insert(Actor::AdminToken { address });
        next.run(request).await
    } else {
        Problem::admin_unauthorized().into_response()
    }
}

/// The object that an operator sent: a record is never read from the positions of its members.
pub(super) fn read_object(body: &[u8]) -> Result<Value, Problem> {
    let value = json::read(body).map_err(Rejection::from)?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(Problem::bad_request("the body must be a JSON object"))
    }
}

//! Who may use the admin listener, and what its handlers work with.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use axum::{
    body::Body,
    extract::{MatchedPath, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, Request, header::AUTHORIZATION};
use portcullis_telemetry::Registry;
use serde_json::Value;

use crate::{
    admin::{Actor, UseCases},
    config::Config,
    http::problem::Problem,
    json,
    pipeline::{
        ClientAddress,
        failed_attempts::{AttemptFault, FailedAttempts},
        rejection::{Rejection, RequestRejection},
    },
};

/// What admin handlers work with.
#[derive(Debug, Clone)]
pub(crate) struct AdminState {
    pub(crate) use_cases: UseCases,
    pub(crate) registry: Registry,
    pub(crate) config: Arc<Config>,
    pub(crate) failed_tokens: FailedAttempts,
}

/// Lets a request pass that carries the admin token, and notes whose it is. One that does not is
/// counted, logged and, where its client network goes on failing, told to wait.
pub(super) async fn require_token(
    State(state): State<AdminState>,
    mut request: Request<Body>,
    next: Next,
) -> Response {
    let address = request.extensions().get::<ClientAddress>().copied();
    let unknown = ClientAddress(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let ClientAddress(address) = address.unwrap_or(unknown);
    let Err(fault) = check_token(&state.config, request.headers()) else {
        request
            .extensions_mut()
            .insert(Actor::AdminToken { address });
        return next.run(request).await;
    };
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("", MatchedPath::as_str);
    let slowed = state.failed_tokens.note(fault, address, route).await;
    let problem = slowed.map_or_else(Problem::admin_unauthorized, |decision| {
        Problem::from(RequestRejection::Limited(Box::new(decision)))
    });
    problem.into_response()
}

fn check_token(config: &Config, headers: &HeaderMap) -> Result<(), AttemptFault> {
    let header = headers.get(AUTHORIZATION).ok_or(AttemptFault::Missing)?;
    let token = header.as_bytes().strip_prefix(b"Bearer ");
    let token = token.ok_or(AttemptFault::Malformed)?;
    if config.secrets.admin_token.matches(token) {
        Ok(())
    } else {
        Err(AttemptFault::Wrong)
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

//! Who may use the admin listener, and what its handlers work with.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use arc_swap::ArcSwap;
use axum::{
    body::Body,
    extract::{MatchedPath, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use http::{
    HeaderMap, Request,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use portcullis_telemetry::Registry;
use serde_json::{Map, Value};

use crate::{
    admin::{Actor, UseCases},
    audit::Peer,
    config::AdminToken,
    http::{bearer::bearer_token, problem::Problem},
    json,
    pipeline::{
        ClientAddress, RequestsInFlight,
        failed_attempts::{AttemptFault, FailedAttempts},
        media_type, read_body,
        rejection::{Rejection, RequestRejection},
    },
    quality::Reason,
};

/// What admin handlers work with.
#[derive(Debug, Clone)]
pub(crate) struct AdminState {
    pub(crate) use_cases: UseCases,
    pub(crate) registry: Registry,
    /// Replaced while the service runs.
    pub(crate) admin_token: Arc<ArcSwap<AdminToken>>,
    pub(crate) failed_tokens: FailedAttempts,
    /// Those who read the audit log as it comes.
    pub(crate) audit_readers: RequestsInFlight,
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
    let peer = Peer::of_request(address, request.headers());
    let Err(fault) = check_token(&state.admin_token.load(), request.headers()) else {
        request.extensions_mut().insert(Actor::AdminToken { peer });
        return next.run(request).await;
    };
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("", MatchedPath::as_str);
    let slowed = state.failed_tokens.note(fault, peer, route).await;
    let problem = slowed.map_or_else(Problem::admin_unauthorized, |decision| {
        Problem::from(RequestRejection::Limited(Box::new(decision)))
    });
    problem.into_response()
}

fn check_token(expected: &AdminToken, headers: &HeaderMap) -> Result<(), AttemptFault> {
    if !headers.contains_key(AUTHORIZATION) {
        return Err(AttemptFault::Missing);
    }
    let token = bearer_token(headers).ok_or(AttemptFault::Malformed)?;
    if expected.matches(token) {
        Ok(())
    } else {
        Err(AttemptFault::Wrong)
    }
}

/// The object that an operator sent: a record is never read from the positions of its members, and
/// nothing is taken that says it is something else, such as a form of a page.
pub(super) async fn read_json(request: Request<Body>) -> Result<Value, Problem> {
    require_json(request.headers())?;
    read_object(&read_body(request).await?)
}

/// The same where nothing has to be said: no body is an object without members.
pub(super) async fn read_optional_json(request: Request<Body>) -> Result<Value, Problem> {
    require_json(request.headers())?;
    let body = read_body(request).await?;
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    read_object(&body)
}

fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let is_named = headers.contains_key(CONTENT_TYPE);
    let media_type = media_type(headers)?;
    if is_named && media_type.is_none_or(|media_type| media_type.name() != "application/json") {
        let detail = "send `Content-Type: application/json`";
        return Err(Rejection::new(Reason::TransportContentType, detail).into());
    }
    Ok(())
}

fn read_object(body: &[u8]) -> Result<Value, Problem> {
    let value = json::read(body).map_err(Rejection::from)?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(Problem::bad_request("the body must be a JSON object"))
    }
}

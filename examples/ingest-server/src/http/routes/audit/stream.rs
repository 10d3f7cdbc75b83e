//! `/admin/audit/stream`: entries as they come, as Server-Sent Events.

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header::CONTENT_TYPE};

use super::read_request;
use crate::{
    admin::{Actor, Rights},
    http::{problem::Problem, query::Query, routes::admin::AdminState},
    pipeline::ClientAddress,
};

/// What there is to ask for.
const PARAMETERS: [&str; 8] = [
    "tenant", "actor", "action", "resource", "field", "outcome", "from", "to",
];

static LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// `GET /admin/audit/stream`. One client network has a quarter of the places for readers.
pub(in crate::http::routes) async fn stream(
    State(state): State<AdminState>,
    Extension(actor): Extension<Actor>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    target: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let request = read_request(Query::read(&target, &PARAMETERS)?);
    let last = last_event(&headers)?;
    let place = state.audit_readers.admit(Some(address.into()))?;
    let (now, had) = (
        Arc::clone(&state.admin_token),
        state.admin_token.load_full(),
    );
    // EXPOSE: whether the token that was sent would still be let in.
    let rights: Rights = Box::new(move || now.load().matches(had.expose().as_bytes()));
    let audit = &state.use_cases.audit;
    let events = audit.stream(&actor, &request, last, rights, place).await?;
    let kind = HeaderValue::from_static("text/event-stream");
    Ok(([(CONTENT_TYPE, kind)], Body::from_stream(events)).into_response())
}

fn last_event(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(given) = headers.get(&LAST_EVENT_ID) else {
        return Ok(None);
    };
    let last = given.to_str().ok().and_then(|text| text.parse().ok());
    let wrong = || Problem::bad_request("`Last-Event-ID` must be the id of an event of the stream");
    last.map(Some).ok_or_else(wrong)
}

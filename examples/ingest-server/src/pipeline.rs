//! The way of events and leads through the service: one file a stage, and each stage's output is
//! the next one's input, so that none can be skipped.
//!
//! ```text
//! authenticate → frame → admit → parse → validate → resolve → seal → store
//! Caller         Frames  Admitted Event   Valid      Unique   Sealed Stored
//! ```

mod admit;
mod authenticate;
mod batch;
mod frame;
mod parse;
mod resolve;
mod seal;
mod store;
mod validate;

use axum::body::Body;
use http::Request;

pub(crate) use authenticate::{Caller, Permission, authenticate};
pub(crate) use batch::Rejected;
pub(crate) use store::Stored;

use crate::{problem::Problem, services::Services};

/// Takes one or many events in.
///
/// # Errors
/// A [`Problem`] when the request as a whole is refused; an event that is refused alone is listed
/// in the result.
pub(crate) async fn ingest_events(
    services: &Services,
    request: Request<Body>,
) -> Result<Stored, Problem> {
    let (head, body) = request.into_parts();
    let permission = Permission::EventsWrite;
    let caller = authenticate(services, &head.headers, permission).await?;
    let frames = frame::events(caller, &head.headers, body).await?;
    let admitted = admit::admit(services, frames)?;
    let events = parse::events(admitted);
    let valid = validate::validate(services, events);
    Ok(store::store(services, valid).await?)
}

/// Takes one lead in.
///
/// # Errors
/// As [`ingest_events`].
pub(crate) async fn ingest_lead(
    services: &Services,
    request: Request<Body>,
) -> Result<Stored, Problem> {
    let (head, body) = request.into_parts();
    let permission = Permission::LeadsWrite;
    let caller = authenticate(services, &head.headers, permission).await?;
    let frames = frame::lead(caller, &head.headers, body).await?;
    let admitted = admit::admit(services, frames)?;
    let leads = parse::leads(admitted);
    let valid = validate::validate(services, leads);
    Ok(store::store(services, valid).await?)
}

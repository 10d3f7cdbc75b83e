//! The way of events and leads through the service: one file a stage, and each stage's output is
//! the next one's input, so that none can be skipped.
//!
//! ```text
//! limit address → authenticate → frame → admit → parse → validate → resolve → seal → store
//! IpAddr          Caller         Frames  Admitted Parsed  Valid      Unique    Sealed Stored
//! ```

mod account;
mod admit;
mod authenticate;
mod batch;
mod frame;
mod limit_address;
mod parse;
mod resolve;
mod seal;
mod store;
mod validate;

use axum::body::Body;
use http::Request;
use portcullis_dq_metrics::Quality;

use account::Account;
pub(crate) use authenticate::{Caller, Permission, authenticate};
pub(crate) use batch::Rejected;
pub(crate) use frame::read_body;
pub(crate) use limit_address::{ClientAddress, limit_address};
pub(crate) use parse::LEAD;
pub(crate) use store::Stored;

use crate::{
    rejection::{Refusal, Rejection},
    services::Services,
};

/// Takes one or many events in.
///
/// # Errors
/// A [`Refusal`] of the request as a whole; an event that is refused alone is listed in the result.
pub(crate) async fn ingest_events(
    services: &Services,
    request: Request<Body>,
) -> Result<Stored, Refusal> {
    let mut account = Account::open(&services.quality);
    let outcome = take_events(services, request, &mut account).await;
    account.close(&outcome);
    outcome
}

/// Takes one lead in.
///
/// # Errors
/// As [`ingest_events`].
pub(crate) async fn ingest_lead(
    services: &Services,
    request: Request<Body>,
) -> Result<Stored, Refusal> {
    let mut account = Account::open(&services.quality);
    let outcome = take_lead(services, request, &mut account).await;
    account.close(&outcome);
    outcome
}

/// Enters a request that was refused before its way began into the books.
pub(crate) fn book_refused(quality: &Quality, rejection: &Rejection) {
    Account::open(quality).refuse(rejection);
}

async fn take_events(
    services: &Services,
    request: Request<Body>,
    account: &mut Account,
) -> Result<Stored, Refusal> {
    let (head, body) = request.into_parts();
    let address = limit_address(services, &head.extensions).await?;
    let caller = authenticate(services, &head.headers, address, Permission::EventsWrite).await?;
    account.authenticated(&caller.tenant);
    let frames = frame::events(caller, &head.headers, body).await?;
    account.framed(frames.frames.len());
    let admitted = admit::admit(services, frames).await?;
    let events = parse::events(admitted);
    let valid = validate::validate(services, events);
    Ok(store::store(services, valid).await?)
}

async fn take_lead(
    services: &Services,
    request: Request<Body>,
    account: &mut Account,
) -> Result<Stored, Refusal> {
    let (head, body) = request.into_parts();
    let address = limit_address(services, &head.extensions).await?;
    let caller = authenticate(services, &head.headers, address, Permission::LeadsWrite).await?;
    account.authenticated(&caller.tenant);
    let frames = frame::lead(caller, &head.headers, body).await?;
    account.framed(frames.frames.len());
    let admitted = admit::admit(services, frames).await?;
    let leads = parse::leads(admitted);
    let valid = validate::validate(services, leads);
    Ok(store::store(services, valid).await?)
}

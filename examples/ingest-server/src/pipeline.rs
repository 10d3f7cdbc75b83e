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
pub(crate) mod limits;
mod parse;
pub(crate) mod rejection;
mod resolve;
mod seal;
pub(crate) mod services;
mod store;
mod validate;

use axum::body::Body;
use http::Request;

use account::Account;
pub(crate) use authenticate::{Caller, Permission, authenticate};
pub(crate) use batch::Rejected;
pub(crate) use frame::read_body;
pub(crate) use limit_address::{ClientAddress, limit_address};
pub(crate) use store::Stored;

use crate::{
    pipeline::rejection::{Refusal, Rejection},
    pipeline::services::Services,
    quality::Quality,
};

/// What a request brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intake {
    /// One or many events.
    Events,
    /// One lead.
    Lead,
}

/// Takes in what a request brings, and enters into the books what became of it.
///
/// # Errors
/// A [`Refusal`] of the request as a whole; an event that is refused alone is listed in the result.
pub(crate) async fn ingest(
    services: &Services,
    intake: Intake,
    request: Request<Body>,
) -> Result<Stored, Refusal> {
    let mut account = Account::open(&services.quality);
    let outcome = take(services, intake, request, &mut account).await;
    account.close(&outcome);
    outcome
}

/// Enters a request that was refused before its way began into the books.
pub(crate) fn book_refused(quality: &Quality, rejection: &Rejection) {
    Account::open(quality).refuse(rejection);
}

/// The stages, in order.
async fn take(
    services: &Services,
    intake: Intake,
    request: Request<Body>,
    account: &mut Account,
) -> Result<Stored, Refusal> {
    let (head, body) = request.into_parts();
    let address = limit_address(services, &head.extensions).await?;
    let caller = authenticate(services, &head.headers, address, intake.permission()).await?;
    account.authenticated(&caller.tenant);
    let frames = frame::frame(intake, caller, &head.headers, body).await?;
    account.framed(frames.frames.len());
    let admitted = admit::admit(services, frames).await?;
    let parsed = parse::parse(intake, admitted);
    let valid = validate::validate(services, parsed);
    Ok(store::store(services, valid).await?)
}

impl Intake {
    const fn permission(self) -> Permission {
        match self {
            Self::Events => Permission::EventsWrite,
            Self::Lead => Permission::LeadsWrite,
        }
    }
}

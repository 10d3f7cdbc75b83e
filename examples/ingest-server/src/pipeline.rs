//! The request lifecycle of events and leads: one file a stage, listed in order in [`take`], and
//! each stage's output is the next one's input, so that none can be skipped. [`LeadReads`] is the
//! way back.
//!
//! ```text
//! limit address → authenticate → frame  → admit    → parse  → validate → fingerprint   → resolve  → seal   → store  → acknowledge
//! IpAddr          Caller         Frames   Admitted   Parsed   Valid      Fingerprinted   Resolved   Sealed   Stored   Acknowledged
//! ```

mod accounting;
mod acknowledge;
mod admit;
mod authenticate;
mod batch;
pub(crate) mod failed_attempts;
mod fingerprint;
mod frame;
mod intake;
mod lead_reads;
mod limit_address;
mod limits;
mod parse;
pub(crate) mod pii;
pub(crate) mod rejection;
mod resolve;
mod seal;
pub(crate) mod services;
mod store;
mod validate;

use axum::body::Body;
use http::Request;

use self::{
    accounting::Accounting,
    acknowledge::Attempts,
    rejection::{Rejection, RequestRejection},
    services::Services,
};
use crate::quality::Quality;

pub(crate) use self::{
    acknowledge::Acknowledged,
    batch::Rejected,
    frame::read_body,
    intake::Intake,
    lead_reads::{LeadQuery, LeadReads, admit_reader},
    limit_address::ClientAddress,
};

/// Takes in what a request brings, and accounts for what became of it.
///
/// # Errors
/// A [`RequestRejection`] of the request as a whole; an item that is rejected alone is listed in
/// the result.
pub(crate) async fn ingest(
    services: &Services,
    intake: Intake,
    request: Request<Body>,
) -> Result<Acknowledged, RequestRejection> {
    let mut accounting = Accounting::open(&services.quality);
    let outcome = take(services, intake, request, &mut accounting).await;
    accounting.close(&outcome);
    outcome
}

/// Accounts for a request that was rejected before its first stage.
pub(crate) fn account_for_rejected(quality: &Quality, rejection: &Rejection) {
    Accounting::open(quality).reject(rejection);
}

/// The stages, in order.
async fn take(
    services: &Services,
    intake: Intake,
    request: Request<Body>,
    accounting: &mut Accounting,
) -> Result<Acknowledged, RequestRejection> {
    let (head, body) = request.into_parts();
    let address = limit_address::limit_address(services, &head.extensions).await?;
    let caller =
        authenticate::authenticate(services, &head.headers, address, intake.permission()).await?;
    accounting.authenticated(&caller.tenant);
    let frames = frame::frame(intake, caller, &head.headers, body).await?;
    accounting.framed(frames.frames.len());
    let admitted = admit::admit(services, frames).await?;
    let parsed = parse::parse(intake, admitted);
    let valid = validate::validate(services, parsed);
    let fingerprinted = fingerprint::fingerprint(services, valid);

    // An item that loses a race for its lead's e-mail goes back to be resolved.
    let mut attempts = Attempts::new(&fingerprinted);
    let mut pending = Some(fingerprinted);
    while let Some(items) = pending.take().and_then(|pending| attempts.next(pending)) {
        let attempt = async {
            let resolved = resolve::resolve(services, items).await?;
            let sealed = seal::seal(services, resolved).await?;
            store::store(services, sealed).await
        };
        pending = attempts.settle(attempt.await)?;
    }
    Ok(attempts.finish())
}

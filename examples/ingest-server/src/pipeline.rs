//! The request lifecycle of events and leads: one file a stage, listed in order in [`take`], and
//! each stage's output is the next one's input, so that none can be skipped. [`LeadReads`] is the
//! way back.
//!
//! ```text
//! limit address → authenticate → charge request → frame  → charge content → parse  → validate → fingerprint   → resolve  → seal   → store  → acknowledge
//! IpAddr          Caller         Charged          Frames   Admitted         Parsed   Valid      Fingerprinted   Resolved   Sealed   Stored   Acknowledged
//! ```

mod access_reason;
mod accounting;
mod acknowledge;
mod allowance;
mod audit_reads;
mod authenticate;
mod batch;
mod charge_content;
mod charge_request;
mod conflicts;
mod cost;
#[cfg(feature = "fuzzing")]
mod examine;
pub(crate) mod failed_attempts;
mod fingerprint;
mod frame;
mod in_flight;
mod intake;
pub(crate) mod key_checks;
pub(crate) mod key_lookups;
mod lead_erasure;
mod lead_reads;
mod limit_address;
mod limit_span;
mod limits;
pub(crate) mod objectives;
mod open;
mod parse;
pub(crate) mod pii;
mod pii_span;
mod probe_tenant;
pub(crate) mod rejection;
mod resolve;
mod seal;
pub(crate) mod services;
pub(crate) mod stages;
mod store;
mod turns;
mod validate;

use axum::body::Body;
use http::Request;

use self::{
    accounting::Accounting,
    acknowledge::Attempts,
    objectives::DurablePromise,
    rejection::{Rejection, RequestRejection},
    services::Services,
    stages::Stage,
};
use crate::{audit::Written, quality::Quality};

pub(crate) use self::{
    access_reason::{AccessReason, InvalidReason},
    acknowledge::Acknowledged,
    allowance::BodyAllowances,
    audit_reads::{admit_auditor, audit_page, audit_proof},
    batch::{Origin, Rejected},
    frame::{CONTENT_CODINGS, media_type, read_body},
    in_flight::{InFlight, RequestsInFlight},
    intake::{Intake, LeadRequest, OnConflict},
    lead_erasure::{admit_eraser, erase_lead},
    lead_reads::{LeadQuery, LeadReads, Wanted, admit_reader},
    limit_address::ClientAddress,
    limits::check_operator,
    probe_tenant::ProbeTenant,
};
#[cfg(feature = "fuzzing")]
pub(crate) use self::{examine::Examiner, parse::Envelope, validate::Valid};

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
    let promise = DurablePromise::new(&services.objectives, &services.clock);
    let mut accounting = Accounting::open(&services.quality)
        .with_promise(promise)
        .leaving_out(services.probe.clone());
    let outcome = take(services, intake, request, &mut accounting).await;
    accounting.close(&outcome);
    outcome
}

/// Accounts for a request that was rejected before its first stage.
pub(crate) fn account_for_rejected(quality: &Quality, rejection: &Rejection) {
    Accounting::open(quality).reject(rejection);
}

/// Accounts for a request if what comes before its first stage rejects it.
///
/// # Errors
/// The rejection.
pub(crate) fn account_for<T>(
    quality: &Quality,
    outcome: Result<T, Rejection>,
) -> Result<T, Rejection> {
    outcome.inspect_err(|rejection| account_for_rejected(quality, rejection))
}

/// The stages, in order.
async fn take(
    services: &Services,
    intake: Intake,
    request: Request<Body>,
    accounting: &mut Accounting,
) -> Result<Acknowledged, RequestRejection> {
    let (head, body) = request.into_parts();
    let mut laps = services.stages.begin();
    let (extensions, headers) = (&head.extensions, &head.headers);
    let address = limit_address::limit_address(services, extensions, headers).await;
    let address = laps.end(Stage::LimitAddress, address)?;
    let needed = intake.permission();
    let caller = authenticate::authenticate(services, &head.headers, address, needed).await;
    let caller = laps.end(Stage::Authenticate, caller)?;
    accounting.authenticated(&caller.tenant);
    let (tenant, kid) = (caller.tenant.clone(), *caller.principal.kid());
    let charged = charge_request::charge_request(services, caller, &head.extensions).await;
    let charged = laps.end(Stage::ChargeRequest, charged)?;
    let frames = frame::frame(services, intake, charged, &head.headers, body).await;
    let frames = laps.end(Stage::Frame, frames)?;
    // What could not be cut is charged before it is rejected.
    let cut = frames
        .cut()
        .inspect_err(|error| laps.failed(Stage::Frame, *error));
    let is_cut = cut.is_ok();
    let count_frames = |frames| accounting.framed(frames);
    let admitted = charge_content::charge_content(services, frames, count_frames).await;
    laps.passed(Stage::ChargeContent);
    if is_cut && let Err(error) = &admitted {
        laps.failed(Stage::ChargeContent, error);
    }
    let parsed = parse::parse(intake, admitted?);
    laps.passed(Stage::Parse);
    let valid = validate::validate(services, parsed);
    laps.passed(Stage::Validate);
    let fingerprinted = fingerprint::fingerprint(services, valid);
    let mut fingerprinted = laps.end(Stage::Fingerprint, fingerprinted)?;
    fingerprinted.admission.allowance.end_work();

    // An item that loses a race for its lead's e-mail goes back to be resolved.
    let mut attempts = Attempts::new(&fingerprinted);
    let mut pending = Some(fingerprinted);
    while let Some(items) = pending.take().and_then(|pending| attempts.next(pending)) {
        let attempt = async {
            let resolved = resolve::resolve(services, items).await;
            let resolved = laps.end(Stage::Resolve, resolved)?;
            let sealed = seal::seal(services, resolved).await;
            let sealed = laps.end(Stage::Seal, sealed)?;
            let stored = store::store(services, sealed).await;
            laps.end(Stage::Store, stored)
        };
        pending = attempts.settle(attempt.await)?;
    }
    let acknowledged = attempts.finish();
    services.audit.wrote(Written {
        tenant: tenant.as_str(),
        kid: kid.as_str(),
        action: intake.on_record(),
        count: u64::try_from(acknowledged.accepted.len()).unwrap_or(u64::MAX),
    });
    Ok(acknowledged)
}

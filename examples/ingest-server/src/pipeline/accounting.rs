//! The accounting of one request: whatever is received ends in exactly one outcome.

use std::borrow::Cow;

use portcullis_dq_metrics::{
    Duplicate, Subject,
    sample::{Discarded, TraceId},
};
use portcullis_keyring::TenantId;

use super::{
    acknowledge::Acknowledged,
    batch::{Origin, Rejected},
    objectives::DurablePromise,
    probe_tenant::ProbeTenant,
    rejection::{self, Rejection, RequestRejection},
    seal::StoredForm,
    store::Accepted,
};
use crate::quality::{Outcome, Quality};

/// What one request owes. What is still open when it is dropped was lost.
#[derive(Debug)]
pub(crate) struct Accounting {
    quality: Quality,
    tenant: Option<TenantId>,
    /// Events without an outcome; none while the request's events are not known.
    open: Option<u64>,
    /// Where accepted events are promised to be durable in time.
    promise: Option<DurablePromise>,
    /// Of whom the quality is not of interest. Objectives are, with the probe's requests too.
    left_out: ProbeTenant,
}

impl Accounting {
    /// Begins with a request of which nothing is known yet.
    pub(super) fn open(quality: &Quality) -> Self {
        Self {
            quality: quality.clone(),
            tenant: None,
            open: None,
            promise: None,
            left_out: ProbeTenant::default(),
        }
    }

    /// What is accepted is held to this.
    pub(super) fn with_promise(mut self, promise: DurablePromise) -> Self {
        self.promise = Some(promise);
        self
    }

    /// What is the probe's is not counted.
    pub(super) fn leaving_out(mut self, probe: ProbeTenant) -> Self {
        self.left_out = probe;
        self
    }

    /// Where it is counted what becomes of things; nowhere where they are the probe's.
    fn counted(&self) -> Option<&Quality> {
        let tenant = self.tenant.as_ref();
        let is_left_out = tenant.is_some_and(|tenant| self.left_out.is(tenant));
        (!is_left_out).then_some(&self.quality)
    }

    /// From now on everything counts for this tenant.
    pub(super) fn authenticated(&mut self, tenant: &TenantId) {
        self.tenant = Some(tenant.clone());
    }

    /// From now on each event counts, and no longer the request.
    pub(super) fn framed(&mut self, events: usize) {
        let tenant = self.tenant.as_ref().map(TenantId::as_str);
        let events = u64::try_from(events).unwrap_or(u64::MAX);
        if let Some(quality) = self.counted() {
            quality.received(tenant, events);
        }
        self.open = Some(events);
        if let Some(promise) = &mut self.promise {
            promise.begin();
        }
    }

    /// Records one outcome for everything.
    pub(super) fn reject(mut self, rejection: &Rejection) {
        self.settle_rest(Outcome::Rejected(rejection.reason));
    }

    /// Records what became of everything.
    pub(super) fn close(mut self, outcome: &Result<Acknowledged, RequestRejection>) {
        match outcome {
            Ok(acknowledged) => self.settle_items(acknowledged),
            Err(RequestRejection::Limited(decision)) => {
                let reduced = rejection::reduced(decision).map(Outcome::Rejected);
                self.settle_rest(reduced.unwrap_or(Outcome::RateLimited));
            }
            Err(RequestRejection::Rejected(rejection)) => self.reject(rejection),
        }
    }

    fn settle_items(&mut self, acknowledged: &Acknowledged) {
        // The events of a batch are mostly alike, and counted together.
        let alike = |one: &Accepted, other: &Accepted| {
            one.form == other.form && one.origin.schema == other.origin.schema
        };
        for accepted in acknowledged.accepted.chunk_by(alike) {
            let outcome = match accepted[0].form {
                StoredForm::Planned => Outcome::Accepted,
                StoredForm::Modified => Outcome::Modified,
            };
            self.settle(&accepted[0].origin, outcome, accepted.len());
        }
        for (origin, duplicate) in &acknowledged.duplicates {
            self.settle(origin, Outcome::Duplicate(*duplicate), 1);
            if *duplicate == Duplicate::Conflicting {
                tracing::warn!("an event came again with other content");
            }
        }
        for rejected in &acknowledged.rejected {
            self.settle(
                &rejected.origin,
                Outcome::Rejected(rejected.rejection.reason),
                1,
            );
            self.sample(rejected);
        }
    }

    /// Records the outcome of one event, and of those that are like it.
    fn settle(&mut self, origin: &Origin, outcome: Outcome, events: usize) {
        let events = u64::try_from(events).unwrap_or(u64::MAX);
        let version = origin.schema.as_ref().map(|schema| text(schema.version));
        let subject = subject(self.tenant.as_ref(), origin, version.as_deref());
        if let Some(quality) = self.counted() {
            quality.record_many(subject, outcome, events);
        }
        self.held_to(outcome, events);
        self.open = self.open.map(|open| open.saturating_sub(events));
    }

    /// One outcome for all that has none yet.
    fn settle_rest(&mut self, outcome: Outcome) {
        let tenant = self.tenant.as_ref().map(TenantId::as_str);
        let open = self.open.unwrap_or(1);
        if let Some(quality) = self.counted() {
            if self.open.is_none() {
                quality.received(tenant, 1);
            }
            let subject = tenant.map_or(Subject::UNKNOWN, Subject::tenant);
            quality.record_many(subject, outcome, open);
        }
        self.held_to(outcome, open);
        self.open = Some(0);
    }

    fn held_to(&self, outcome: Outcome, events: u64) {
        if let Some(promise) = &self.promise {
            promise.settle(outcome, events);
        }
    }

    fn sample(&self, rejected: &Rejected) {
        let Some(quality) = self.counted() else {
            return;
        };
        let Rejected { origin, rejection } = rejected;
        let version = origin.schema.as_ref().map(|schema| text(schema.version));
        let subject = subject(self.tenant.as_ref(), origin, version.as_deref());
        let mut discarded =
            Discarded::new(subject, rejection.reason, &origin.text).detail(&rejection.detail);
        if let Some(trace) = portcullis_telemetry::current_trace_id() {
            discarded = discarded.trace_id(TraceId::from_bytes(trace.to_bytes()));
        }
        if let Some(sample) = quality.sample(&discarded) {
            // Not its text: a log is read by more people than the samples are.
            let (reason, fingerprint) = (sample.reason, sample.fingerprint);
            tracing::info!(%reason, %fingerprint, "a discarded event was sampled");
        }
    }
}

impl Drop for Accounting {
    fn drop(&mut self) {
        if self.open != Some(0) {
            self.settle_rest(Outcome::Lost);
        }
    }
}

fn subject<'a>(
    tenant: Option<&'a TenantId>,
    origin: &'a Origin,
    version: Option<&'a str>,
) -> Subject<'a> {
    let mut subject = tenant.map_or(Subject::UNKNOWN, |tenant| Subject::tenant(tenant.as_str()));
    if let Some(schema) = &origin.schema {
        subject = subject.event_type(&schema.event_type);
    }
    match version {
        Some(version) => subject.schema_version(version),
        None => subject,
    }
}

/// The version as text. Those that there are, are small, and cost no allocation for each event.
fn text(version: u32) -> Cow<'static, str> {
    const SMALL: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
    let small = usize::try_from(version)
        .ok()
        .and_then(|version| SMALL.get(version));
    small.map_or_else(
        || Cow::Owned(version.to_string()),
        |text| Cow::Borrowed(*text),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_reads_as_its_number() {
        for version in [0, 1, 9, 10, u32::MAX] {
            assert_eq!(text(version), version.to_string());
        }
    }
}

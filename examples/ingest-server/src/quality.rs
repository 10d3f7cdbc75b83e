//! The quality of what comes in: this service's reasons for refusing, and how samples are masked.

mod masker;
mod reason;

use std::sync::Arc;

use portcullis_dq_metrics::{Lifecycle, Plan, sample::Masker};
use portcullis_telemetry::Redactor;
use rand::{SeedableRng as _, rngs::StdRng};

use self::masker::{ShapeMasker, Unmasked};
use crate::schemas::{DEFAULT_VERSION, LEAD, Schemas};

pub(crate) use self::reason::Reason;

/// Counts, samples and scores what comes in.
pub(crate) type Quality = portcullis_dq_metrics::Quality<Reason>;

/// What became of one event, or of one request before its events were known.
pub(crate) type Outcome = portcullis_dq_metrics::Outcome<Reason>;

/// The data-quality accounting, with every known schema planned and nothing besides: what an unknown
/// event says it is, may say anything. `seed` decides which discarded
/// events become samples.
pub(crate) fn build(schemas: &Schemas, redactor: &Arc<Redactor>, seed: [u8; 32]) -> Quality {
    let plan = schemas
        .names()
        .fold(Plan::new(), |plan, (event_type, version, is_latest)| {
            let lifecycle = if is_latest {
                Lifecycle::Current
            } else {
                Lifecycle::Deprecated
            };
            plan.schema(event_type, &version.to_string(), lifecycle)
        });
    let plan = plan.schema(LEAD, &DEFAULT_VERSION.to_string(), Lifecycle::Current);
    let masker: Arc<dyn Masker> = if redactor.is_off() {
        Arc::new(Unmasked)
    } else {
        Arc::new(ShapeMasker::new(schemas, Arc::clone(redactor)))
    };
    Quality::builder(masker, StdRng::from_seed(seed))
        .plan(plan.closed())
        .build()
}

//! Whether the audit log was found as it was signed, as metrics.

use portcullis_telemetry::{MetricError, Registry};

use super::number;
use crate::admin::VerificationTally;

/// What verifications have come to.
pub(crate) fn register_audit_verification(
    registry: &Registry,
    tally: &VerificationTally,
) -> Result<(), MetricError> {
    let failures = tally.clone();
    registry.observed_counter(
        "ingest_audit_verify_failures",
        "Verifications of the audit log that did not find it as it was signed, or did not end: ask for its status",
        move || number(failures.failures()),
    )?;
    let tally = tally.clone();
    registry.observed_gauge(
        "ingest_audit_verify_last_success_timestamp_seconds",
        "When all of the audit log was last found as it was signed, as Unix time; 0 if not since the start",
        move || {
            let seconds = tally.last_success().map(|at| at.unix_timestamp());
            number(seconds.map_or(0, i64::unsigned_abs))
        },
    )
}

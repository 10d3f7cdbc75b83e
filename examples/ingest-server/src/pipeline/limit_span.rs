//! The span of one check against the limits, which says what was decided, where, and what it cost.

use std::fmt;

use portcullis_ratelimit::{CheckError, Decision, Refused};
use tracing::{Instrument as _, Span, field::Empty, info_span, record_all};

/// Makes the check in a span of this name and hands its decision on to `then`, still in that span: what is
/// logged of it belongs there.
pub(super) async fn in_span<T>(
    name: &'static str,
    cost: u32,
    check: impl Future<Output = Result<Decision, CheckError>>,
    then: impl FnOnce(Result<Decision, CheckError>) -> T,
) -> T {
    let span = info_span!(
        "check_limits",
        otel.name = name,
        ratelimit.outcome = Empty,
        ratelimit.source = Empty,
        ratelimit.policy = Empty,
        ratelimit.cost = Empty,
        ratelimit.limit = Empty,
        ratelimit.retry_after_seconds = Empty,
    );
    let decision = check.instrument(span.clone()).await;
    record(&span, cost, &decision);
    span.in_scope(|| then(decision))
}

fn record(span: &Span, cost: u32, decision: &Result<Decision, CheckError>) {
    let Ok(decision) = decision else {
        record_all!(
            span,
            ratelimit.outcome = "failed",
            ratelimit.cost = i64::from(cost)
        );
        return;
    };
    let outcome = if decision.is_admitted() {
        "admitted"
    } else {
        "refused"
    };
    record_all!(
        span,
        ratelimit.outcome = outcome,
        ratelimit.source = decision.source().as_str(),
        ratelimit.policy = decision.policy().label(),
        ratelimit.cost = i64::from(cost),
    );
    if let Decision::Refused(refused) = decision {
        let retry_after = refused.retry_after().map(|after| after.as_secs());
        record_all!(
            span,
            ratelimit.limit = %Violated(refused),
            ratelimit.retry_after_seconds = retry_after.and_then(|after| i64::try_from(after).ok()),
        );
    }
}

/// The names of the limits without room.
struct Violated<'a>(&'a Refused);

impl fmt::Display for Violated<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.violated().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            f.write_str(name.as_str())?;
        }
        Ok(())
    }
}

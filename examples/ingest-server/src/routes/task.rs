//! Work that is finished whether or not its sender waits for the answer.

use portcullis_dq_metrics::Reason;
use tracing::Instrument as _;

use crate::{
    problem::Problem,
    rejection::{Refusal, Rejection},
};

/// Runs `work` as a task of its own: a connection that is lost meanwhile, which would drop the
/// handler, neither cuts a commit off from its books nor half an operation from the other half.
pub(super) async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Problem> {
    match tokio::spawn(work.in_current_span()).await {
        Ok(outcome) => outcome.map_err(Problem::from),
        Err(_) => {
            tracing::error!("the handling of a request panicked");
            Err(Rejection::plain(Reason::Internal).into())
        }
    }
}

//! Work that is finished whether or not its sender waits for the answer.

use axum::body::Body;
use http::Request;
use tracing::Instrument as _;

use super::guards::InFlight;
use crate::{
    http::problem::Problem,
    pipeline::rejection::{Refusal, Rejection},
    quality::Reason,
};

/// Does the `work` of a request in a task of its own: a connection that is lost meanwhile, which
/// would drop the handler, neither cuts a commit off from its books nor half an operation from the
/// other half. The task keeps the request's place among those in flight.
pub(super) async fn run_detached<T, F>(
    request: Request<Body>,
    work: impl FnOnce(Request<Body>) -> F,
) -> Result<T, Problem>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Refusal>> + Send + 'static,
{
    let place = request.extensions().get::<InFlight>().cloned();
    let work = work(request);
    let task = async move {
        let outcome = work.await;
        drop(place);
        outcome
    };
    match tokio::spawn(task.in_current_span()).await {
        Ok(outcome) => outcome.map_err(Problem::from),
        Err(_) => {
            tracing::error!("the handling of a request panicked");
            Err(Rejection::plain(Reason::Internal).into())
        }
    }
}

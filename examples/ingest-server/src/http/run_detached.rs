//! Work that is finished whether or not its sender waits for the answer.

use axum::body::Body;
use http::Request;
use tracing::Instrument as _;

use super::problem::Problem;
use crate::{
    pipeline::InFlight,
    pipeline::rejection::{Rejection, RequestRejection},
    quality::Reason,
};

/// Does the `work` of a request in a task of its own: a connection that is lost meanwhile would drop
/// the handler, and cut a commit off from its accounting, or one half of an operation from the
/// other. The task keeps the request's permit to be in flight.
pub(super) async fn run_detached<T, F>(
    request: Request<Body>,
    work: impl FnOnce(Request<Body>) -> F,
) -> Result<T, Problem>
where
    T: Send + 'static,
    F: Future<Output = Result<T, RequestRejection>> + Send + 'static,
{
    let permit = request.extensions().get::<InFlight>().cloned();
    let work = work(request);
    let finished = finish(async move {
        let outcome = work.await;
        drop(permit);
        outcome
    });
    finished.await?.map_err(Problem::from)
}

/// Does some work in a task of its own, to its end.
pub(super) async fn finish<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Problem> {
    tokio::spawn(work.in_current_span()).await.map_err(|_| {
        tracing::error!("the handling of a request panicked");
        Rejection::plain(Reason::Internal).into()
    })
}

//! Work that is finished whether or not its sender waits for the answer.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::Body;
use http::Request;
use tokio::runtime::Handle;
use tracing::{Instrument as _, Span};

use super::problem::Problem;
use crate::{
    pipeline::InFlight,
    pipeline::rejection::{Rejection, RequestRejection},
    quality::Reason,
};

/// Does the `work` of a request to its end: a connection that is lost meanwhile would drop
/// the handler, and cut a commit off from its accounting, or one half of an operation from the
/// other. The work keeps the request's permit to be in flight.
pub(super) async fn run_detached<T, F>(
    request: Request<Body>,
    work: impl FnOnce(Request<Body>) -> F,
) -> Result<T, Problem>
where
    T: Send + 'static,
    F: Future<Output = Result<T, RequestRejection>> + Send + 'static,
{
    let permit = request.extensions().get::<InFlight>().cloned();
    // Where it is made: it is large, and would be copied at every step from here to the end.
    let work = Box::pin(work(request));
    let finished = finish(async move {
        let outcome = work.await;
        drop(permit);
        outcome
    });
    finished.await?.map_err(Problem::from)
}

/// Does some work to its end. Its sender's task does it as long as there is one, which costs no other
/// task and no hand-over; only when the sender goes away, the rest is done in a task of its own.
pub(super) fn finish<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> impl Future<Output = Result<T, Problem>> {
    let mut work = Unfinished {
        work: Some(Box::pin(work)),
        span: Span::current(),
    };
    poll_fn(move |cx| {
        work.poll(cx).map_err(|Panicked| {
            tracing::error!("the handling of a request panicked");
            Rejection::plain(Reason::Internal).into()
        })
    })
}

/// Work that goes on when this is dropped; none once it has ended.
struct Unfinished<T: Send + 'static> {
    work: Option<Work<T>>,
    /// Of the request, for what is done after its sender is gone.
    span: Span,
}

type Work<T> = Pin<Box<dyn Future<Output = T> + Send>>;

struct Panicked;

impl<T: Send + 'static> Unfinished<T> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, Panicked>> {
        let Some(work) = &mut self.work else {
            return Poll::Ready(Err(Panicked));
        };
        let step = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx)));
        if !matches!(step, Ok(Poll::Pending)) {
            self.work = None;
        }
        match step {
            Ok(step) => step.map(Ok),
            Err(_) => Poll::Ready(Err(Panicked)),
        }
    }
}

impl<T: Send + 'static> Drop for Unfinished<T> {
    fn drop(&mut self) {
        // Without a runtime, the process ends.
        if let Some((work, runtime)) = self.work.take().zip(Handle::try_current().ok()) {
            runtime.spawn(work.instrument(self.span.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn work_goes_on_when_nobody_waits_for_it() {
        let (go_on, wait) = oneshot::channel::<()>();
        let (done, ended) = oneshot::channel();
        let mut finished = Box::pin(finish(async move {
            wait.await.unwrap();
            done.send("durable").unwrap();
        }));
        assert!(finished.as_mut().now_or_never().is_none());
        drop(finished);
        go_on.send(()).unwrap();
        assert_eq!(ended.await, Ok("durable"));
    }

    #[tokio::test]
    async fn work_that_nobody_began_to_wait_for_is_done() {
        let (done, ended) = oneshot::channel();
        drop(finish(async move { done.send(()).unwrap() }));
        assert_eq!(ended.await, Ok(()));
    }

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        let bug = poll_fn(|_| -> Poll<()> { panic!("canary") });
        let problem = finish(bug).await.unwrap_err();
        let answer = axum::response::IntoResponse::into_response(problem);
        assert_eq!(answer.status(), http::StatusCode::INTERNAL_SERVER_ERROR);
    }
}

//! Whether a request of a connection is in flight.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use axum::body::Body;
use bytes::Bytes;
use futures_util::task::AtomicWaker;
use hyper::body::{Frame, SizeHint};

use super::idle::Serving;

/// A connection's requests in flight: one that is worked on, and further ones whose heads hyper has.
#[derive(Debug, Clone, Default)]
pub(super) struct Exchange(Arc<State>);

#[derive(Debug, Default)]
struct State {
    requests: AtomicUsize,
    end: AtomicWaker,
}

impl Exchange {
    pub(super) fn begin(&self) {
        self.0.requests.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether there is a request; the end of one wakes the task.
    pub(super) fn runs(&self, waker: &Waker) -> bool {
        self.0.end.register(waker);
        self.0.requests.load(Ordering::Acquire) > 0
    }

    /// The body of an answer, with which the request ends.
    pub(super) fn ends_with(&self, body: Body, serving: Serving) -> AnswerBody {
        AnswerBody {
            body,
            exchange: self.clone(),
            _serving: serving,
        }
    }
}

/// The body of an answer.
#[derive(Debug)]
pub(super) struct AnswerBody {
    body: Body,
    exchange: Exchange,
    _serving: Serving,
}

impl hyper::body::Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.exchange.0.requests.fetch_sub(1, Ordering::AcqRel);
        self.exchange.0.end.wake();
    }
}

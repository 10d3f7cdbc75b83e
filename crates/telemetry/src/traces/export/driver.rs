//! Waits for an exporter's futures on its thread.

use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

/// What an exporter's futures run on.
pub(super) enum Driver {
    /// They need nothing.
    Thread,
    /// A runtime that is nobody else's.
    #[cfg(feature = "otlp-grpc")]
    Runtime(OwnRuntime),
}

impl Driver {
    /// Blocks the thread until the future is done.
    pub(super) fn block_on<F: Future>(&self, future: F) -> F::Output {
        match self {
            Self::Thread => block_on(future),
            #[cfg(feature = "otlp-grpc")]
            Self::Runtime(runtime) => runtime.block_on(future),
        }
    }
}

/// A runtime that may be dropped anywhere, even inside another.
#[cfg(feature = "otlp-grpc")]
pub(super) struct OwnRuntime(Option<tokio::runtime::Runtime>);

#[cfg(feature = "otlp-grpc")]
impl OwnRuntime {
    pub(super) const fn new(runtime: tokio::runtime::Runtime) -> Self {
        Self(Some(runtime))
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        let runtime = self.0.as_ref();
        runtime
            .expect("it is there until it is dropped")
            .block_on(future)
    }
}

#[cfg(feature = "otlp-grpc")]
impl Drop for OwnRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            // Somebody else's unparking is one more look.
            Poll::Pending => thread::park(),
        }
    }
}

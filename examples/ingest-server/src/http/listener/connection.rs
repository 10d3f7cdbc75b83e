//! One HTTP/1.1 connection.

use std::{
    convert::Infallible,
    error::Error,
    future::{Future as _, poll_fn},
    pin::pin,
    task::Poll,
};

use axum::{Router, body::Body};
use http::Request;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use portcullis_telemetry::BackgroundTask;
use tokio::{io::AsyncReadExt as _, net::TcpStream, sync::watch};
use tower::ServiceExt as _;

use super::{
    Limits, client_address::Client, exchange::Exchange, gate::Gate, idle::Idle, last_answer,
    write_progress::WriteProgress,
};
use crate::{
    clock::{self, SystemClock},
    http::refused_head::RefusedHead,
    quality::Reason,
};

/// What a connection does beside its requests, which have spans of their own.
const TASK: BackgroundTask = BackgroundTask::new("connection");

/// Serves until the peer is done, a head is refused, the connection was idle too long, answers are not
/// read, or it is told to close and the request in flight is answered.
pub(super) async fn serve(
    stream: TcpStream,
    client: Client,
    router: Router,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
    idle: Idle,
) {
    if let Err(error) = stream.set_nodelay(true) {
        let kind = error.kind();
        TASK.within(|| tracing::debug!(%kind, "a connection keeps its send delay"));
    }
    // hyper takes 16 KiB at once, and all of this is some more: who only connects is not worth it.
    let mut first = [0; 1];
    tokio::select! {
        // An error shows again when it is read.
        _ = tokio::time::timeout(limits.keep_alive, stream.peek(&mut first)) => {}
        _ = stop.wait_for(|stop| *stop) => {}
        () = idle.closing() => {
            tell_of_room(true);
            return;
        }
    }
    Box::pin(serve_requests(stream, client, router, limits, stop, idle)).await;
}

async fn serve_requests(
    stream: TcpStream,
    client: Client,
    router: Router,
    limits: Limits,
    mut stop: watch::Receiver<bool>,
    idle: Idle,
) {
    let stream = WriteProgress::new(stream, limits.write_timeout, idle.clone());
    let exchange = Exchange::default();
    let gate = Gate::new(stream, limits, idle.clone(), exchange.clone());
    let service = service_fn(|mut request: Request<Incoming>| {
        client.note(&mut request);
        // Until its answer is handed over, or nobody waits for it any more.
        let serving = idle.serve();
        let answer = router.clone().oneshot(request.map(Body::new));
        let exchange = exchange.clone();
        Box::pin(async move {
            let answer = answer.await?;
            Ok::<_, Infallible>(answer.map(|body| exchange.ends_with(body, serving)))
        })
    });
    let mut connection = http1::Builder::new()
        // The gate passes on no head that is longer, and keeps all times.
        .max_buf_size(limits.head_bytes + 1)
        .header_read_timeout(None)
        // `guards::add_date` says it, by the clock of the service.
        .auto_date_header(false)
        .serve_connection(TokioIo::new(gate), service);

    let stopping = async {
        // An error means that the sender is gone, and so is the process.
        drop(stop.wait_for(|stop| *stop).await);
        idle.close();
    };
    let mut stopping = pin!(stopping);
    let (mut is_stopping, mut is_closing) = (false, false);
    let outcome = loop {
        tokio::select! {
            outcome = poll_fn(|cx| match clock::check(&SystemClock) {
                Ok(()) => Pin::new(&mut connection).poll(cx).map(Ok),
                // hyper asks the system for the date at each step, and would panic now.
                Err(error) => Poll::Ready(Err(error)),
            }) => break outcome,
            () = &mut stopping, if !is_stopping => is_stopping = true,
            () = idle.closing(), if !is_closing => {
                is_closing = true;
                // For another connection's sake also in the middle of a head.
                if !is_stopping && idle.unserved_since().is_some() {
                    let was_idle = idle.since().is_some();
                    tell_of_room(was_idle);
                    return;
                }
                Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    let (mut stream, refused) = connection.into_parts().io.into_inner().into_parts();
    let refused = match outcome {
        Ok(Ok(())) => refused,
        Ok(Err(error)) => {
            let error: &dyn Error = &error;
            TASK.within(|| tracing::debug!(error, "a connection ended early"));
            refused
        }
        // Between two steps of hyper, what was answered is also sent, or waits for its reader.
        Err(error) if idle.unserved_since().is_some() => {
            let beginning = wait_for_request(&mut stream);
            let came = tokio::time::timeout(limits.head_timeout, beginning).await;
            (came == Ok(true)).then(|| RefusedHead::new(Reason::CapacityClock, error.to_string()))
        }
        Err(_) => None,
    };
    if let Some(refused) = refused {
        last_answer::answer(&mut stream, refused, &client, router.clone()).await;
    }
    tokio::select! {
        () = last_answer::close(stream) => {}
        () = idle.closing(), if !is_closing => {}
    }
}

fn tell_of_room(was_idle: bool) {
    TASK.within(|| tracing::debug!(was_idle, "a connection makes room for another"));
}

/// Whether a request begins: an answer that comes before its request is none.
async fn wait_for_request(stream: &mut WriteProgress) -> bool {
    let mut beginning = [0; 1];
    matches!(stream.read(&mut beginning).await, Ok(1))
}

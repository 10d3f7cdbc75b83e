//! One HTTP/1.1 connection.

use std::{
    convert::Infallible, error::Error, future::poll_fn, pin::pin, task::Poll, time::Duration,
};

use axum::{Router, body::Body, response::IntoResponse as _};
use http::{Request, header::CONTENT_LENGTH};
use http_body_util::BodyExt as _;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::watch,
};
use tower::ServiceExt as _;
use tracing::Instrument as _;

use super::{Limits, client_address::Client, idle::Idle, write_progress::WriteProgress};
use crate::{
    clock::{self, ClockNotSet, SystemClock},
    http::problem::Problem,
    pipeline,
    pipeline::rejection::Rejection,
    quality::{Quality, Reason},
};

/// Serves until the peer is done, the head of a request is late, answers are not read, or `stop` becomes true and the
/// request in flight is answered.
pub(super) async fn serve(
    stream: TcpStream,
    client: Client,
    router: Router,
    limits: Limits,
    accounting: Option<Quality>,
    mut stop: watch::Receiver<bool>,
    idle: Idle,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(kind = %error.kind(), "a connection keeps its send delay");
    }
    let mut stream = WriteProgress::new(stream, limits.write_timeout, idle.clone());
    if let Err(error) = clock::check(&SystemClock) {
        let span = tracing::info_span!("wrong clock", otel.kind = "server");
        let refused = refuse_for_clock(&mut stream, error).instrument(span);
        // A request that is late needs no answer.
        drop(tokio::time::timeout(limits.head_timeout, refused).await);
        return close(stream).await;
    }
    let serving = idle.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        client.note(&mut request);
        // Until its answer is handed over, or nobody waits for it any more.
        let serving = serving.serve();
        let answer = router.clone().oneshot(request.map(Body::new));
        Box::pin(async move {
            let answer = answer.await?;
            Ok::<_, Infallible>(answer.map(|body| {
                body.map_err(move |error| {
                    let _until_here = &serving;
                    error
                })
            }))
        })
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // `guards::add_date` says it, by the clock of the service.
        .auto_date_header(false)
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(limits.head_bytes)
        .serve_connection(TokioIo::new(stream), service);

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
                Ok(()) => connection.poll_without_shutdown(cx).map(Result::err),
                // hyper asks the system for the date at each step, and would panic now.
                Err(ClockNotSet) => Poll::Ready(None),
            }) => break outcome,
            () = &mut stopping, if !is_stopping => is_stopping = true,
            () = idle.closing(), if !is_closing => {
                is_closing = true;
                // For another connection's sake also in the middle of a head.
                let unused = if is_stopping { idle.since() } else { idle.unserved_since() };
                if unused.is_some() {
                    return;
                }
                Pin::new(&mut connection).graceful_shutdown();
            }
        }
    };
    let parts = connection.into_parts();
    let mut stream = parts.io.into_inner();
    // A connection that was merely idle ends without a word.
    if outcome.is_some_and(|error| error.is_timeout()) && !parts.read_buf.is_empty() {
        let span = tracing::info_span!("late head", otel.kind = "server");
        answer_late_head(&mut stream, accounting)
            .instrument(span)
            .await;
    }
    tokio::select! {
        () = close(stream) => {}
        () = idle.closing(), if !is_closing => {}
    }
}

/// Refuses whatever would be asked, where hyper would panic.
async fn refuse_for_clock(stream: &mut WriteProgress, error: ClockNotSet) {
    // An answer that comes before its request is none.
    let mut beginning = [0; 1];
    if !matches!(stream.read(&mut beginning).await, Ok(1)) {
        return;
    }
    tracing::error!(error = &error as &dyn Error, "a request was refused");
    answer(stream, Rejection::plain(Reason::CapacityClock).into()).await;
}

/// hyper ends such a connection silently; the peer is told why.
async fn answer_late_head(stream: &mut WriteProgress, accounting: Option<Quality>) {
    let detail = "the head of the request took too long to arrive";
    let rejection = Rejection::new(Reason::TransportTimeout, detail);
    if let Some(quality) = accounting {
        pipeline::account_for_rejected(&quality, &rejection);
    }
    answer(stream, rejection.into()).await;
}

/// Writes an answer without hyper.
async fn answer(stream: &mut WriteProgress, problem: Problem) {
    let (head, body) = problem.into_response().into_parts();
    let Ok(body) = body.collect().await else {
        return;
    };
    let body = body.to_bytes();
    let mut text = format!("HTTP/1.1 {}\r\nconnection: close\r\n", head.status);
    for (name, value) in head
        .headers
        .iter()
        .filter(|(name, _)| *name != CONTENT_LENGTH)
    {
        text.push_str(&format!(
            "{name}: {}\r\n",
            value.to_str().unwrap_or_default()
        ));
    }
    text.push_str(&format!("{CONTENT_LENGTH}: {}\r\n\r\n", body.len()));
    if stream.write_all(text.as_bytes()).await.is_ok() {
        // The peer may be gone by now, and then needs no answer.
        drop(stream.write_all(&body).await);
    }
}

/// Ends the sending side and lets the peer read to the end: closing at once would reset the
/// connection while it still sends, and lose the answer on the way.
async fn close(mut stream: WriteProgress) {
    const LINGER: Duration = Duration::from_millis(500);
    const MAX_DISCARDED: usize = 1 << 20;
    if stream.shutdown().await.is_err() {
        return;
    }
    let discard = async {
        let mut buffer = [0; 4096];
        let mut discarded = 0;
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            discarded += read;
            if discarded > MAX_DISCARDED {
                break;
            }
        }
    };
    // Late bytes are dropped either way.
    drop(tokio::time::timeout(LINGER, discard).await);
}

//! The last answer of a connection: to a head that hyper was not given, written by hand, and the end
//! of the connection behind it.

use std::time::Duration;

use axum::{Router, body::Body, response::Response};
use http::{Method, Request, header::CONTENT_LENGTH};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tower::ServiceExt as _;

use super::{client_address::Client, write_progress::WriteProgress};
use crate::http::refused_head::RefusedHead;

/// How long a peer that sends nothing is waited for.
const SILENCE: Duration = Duration::from_millis(500);

/// How long, and how much, a peer may go on sending what is not taken in.
const LINGER: Duration = Duration::from_secs(10);
const MAX_DISCARDED: usize = 8 << 20;

/// Answers as to any other request: the same layers give it its trace, its headers and its counts.
pub(super) async fn answer(
    stream: &mut WriteProgress,
    refused: RefusedHead,
    client: &Client,
    router: Router,
) {
    let mut request = Request::new(Body::empty());
    if let Some(line) = refused.request_line.as_deref() {
        (*request.method_mut(), *request.uri_mut()) = line.clone();
    }
    let without_body = request.method() == Method::HEAD;
    request.extensions_mut().insert(refused);
    client.note(&mut request);
    let Ok(answer) = router.oneshot(request).await;
    write(stream, answer, without_body).await;
}

async fn write(stream: &mut WriteProgress, answer: Response, without_body: bool) {
    let (head, body) = answer.into_parts();
    let Ok(body) = body.collect().await else {
        return;
    };
    let body = body.to_bytes();
    let mut bytes = format!("HTTP/1.1 {}\r\n", head.status).into_bytes();
    let fields = head.headers.iter();
    for (name, value) in fields.filter(|(name, _)| *name != CONTENT_LENGTH) {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    let length = format!("{CONTENT_LENGTH}: {}\r\n\r\n", body.len());
    bytes.extend_from_slice(length.as_bytes());
    if !without_body {
        bytes.extend_from_slice(&body);
    }
    // The peer may be gone by now, and then needs no answer.
    drop(stream.write_all(&bytes).await);
}

/// Ends the sending side and lets the peer read to the end: closing at once would reset the
/// connection while it still sends, and lose the answer on the way.
pub(super) async fn close(mut stream: WriteProgress) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let discard = async {
        let mut buffer = [0; 1 << 10];
        let mut discarded = 0;
        while let Ok(Ok(read @ 1..)) = tokio::time::timeout(SILENCE, stream.read(&mut buffer)).await
        {
            discarded += read;
            if discarded > MAX_DISCARDED {
                break;
            }
        }
    };
    // Late bytes are dropped either way.
    drop(tokio::time::timeout(LINGER, discard).await);
}

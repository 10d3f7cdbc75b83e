//! Collectors that take connections and no spans.

use std::{
    future,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

use h2::{RecvStream, server::handshake};
use http::Response;
use tokio::{net, runtime::Builder};

/// A collector that does this with each connection.
pub(crate) fn collector(with: impl Fn(TcpStream) + Send + Clone + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for connection in listener.incoming() {
            let with = with.clone();
            thread::spawn(move || with(connection.unwrap()));
        }
    });
    url
}

/// Reads and never answers.
pub(crate) fn hangs(mut connection: TcpStream) {
    let mut buffer = [0; 65_536];
    while connection.read(&mut buffer).is_ok_and(|read| read > 0) {}
}

/// Answers everything with 503, which asks to try again, and closes.
pub(crate) fn refuses(mut connection: TcpStream) {
    let mut buffer = [0; 65_536];
    if connection.read(&mut buffer).is_ok() {
        let answer =
            b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        let _ = connection.write_all(answer);
        // Until the other side has read it.
        hangs(connection);
    }
}

/// A status of gRPC, by its number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GrpcStatus(&'static str);

impl GrpcStatus {
    /// Asks to try again.
    pub(crate) const UNAVAILABLE: Self = Self("14");
    /// Is the last word.
    pub(crate) const PERMISSION_DENIED: Self = Self("7");
}

/// Speaks gRPC on each connection, reads each export, and answers with this, or never.
pub(crate) fn speaks_grpc(
    answers: Option<GrpcStatus>,
) -> impl Fn(TcpStream) + Send + Clone + 'static {
    move |connection| {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            connection.set_nonblocking(true).unwrap();
            let connection = net::TcpStream::from_std(connection).unwrap();
            let Ok(mut connection) = handshake(connection).await else {
                return;
            };
            // It ends in an error when the other side goes away.
            while let Some(Ok((request, mut answer))) = connection.accept().await {
                tokio::spawn(async move {
                    read_all(request.into_body()).await;
                    match answers {
                        // The export goes on for as long as somebody may answer it.
                        None => future::pending().await,
                        // The other side may have gone.
                        Some(status) => drop(answer.send_response(refusal(status), true)),
                    }
                });
            }
        });
    }
}

async fn read_all(mut body: RecvStream) {
    while let Some(Ok(data)) = body.data().await {
        // It fails where the other side has gone, and then so does the next read.
        let _ = body.flow_control().release_capacity(data.len());
    }
}

fn refusal(status: GrpcStatus) -> Response<()> {
    let refusal = Response::builder()
        .header("content-type", "application/grpc")
        .header("grpc-status", status.0);
    refusal.body(()).unwrap()
}

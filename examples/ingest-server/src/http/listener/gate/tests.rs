//! What hyper gets of a connection, read by read.

use std::net::Ipv4Addr;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::*;

/// The reads of a request whose bytes come together, as long as there is something to read.
async fn reads(request: &str) -> Vec<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut sender = TcpStream::connect(address).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    sender.write_all(request.as_bytes()).await.unwrap();
    let limits = Limits::default();
    let stream = WriteProgress::new(stream, limits.write_timeout, Idle::new());
    let mut gate = Gate::new(stream, limits, Idle::new(), Exchange::default());
    let (mut reads, mut left) = (Vec::new(), request.len());
    while left > 0 {
        let mut bytes = [0; 8 << 10];
        let length = gate.read(&mut bytes).await.unwrap();
        reads.push(String::from_utf8(bytes[..length].to_vec()).unwrap());
        left -= length;
    }
    reads
}

#[tokio::test]
async fn a_body_that_came_with_its_head_is_read_with_it() {
    let head = "POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n";
    let next = "GET /b HTTP/1.1\r\nhost: a\r\n\r\n";
    let read = reads(&format!("{head}{{}}{next}")).await;
    assert_eq!(read, [&format!("{head}{{}}"), next]);
}

/// If they are malformed, the handler of the head answers.
#[tokio::test]
async fn chunks_are_read_after_their_head() {
    let head = "POST /a HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunks = "2\r\n{}\r\n0\r\n\r\n";
    assert_eq!(reads(&format!("{head}{chunks}")).await, [head, chunks]);
}

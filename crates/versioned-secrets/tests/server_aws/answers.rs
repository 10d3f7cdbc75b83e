//! A server that answers every request alike.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

/// The endpoint of one that answers with this status and body, as long as the test runs.
pub(crate) fn always(status: u16, body: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let answer = format!(
        "HTTP/1.1 {status} Said\r\nContent-Type: application/x-amz-json-1.1\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    thread::spawn(move || {
        for client in listener.incoming() {
            // A client that gives up is its own affair.
            drop(client.and_then(|client| serve(client, &answer)));
        }
    });
    endpoint
}

fn serve(mut client: TcpStream, answer: &str) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut bytes = [0; 4096];
    // The body of every request here is one object without another in it.
    while !request.ends_with(b"}") {
        let length = client.read(&mut bytes)?;
        if length == 0 {
            return Ok(());
        }
        request.extend_from_slice(&bytes[..length]);
    }
    client.write_all(answer.as_bytes())
}

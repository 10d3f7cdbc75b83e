//! Requests to a server on this machine.

use std::sync::Mutex;

use http::StatusCode;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;
use crate::delivery::tls;

const TOKEN: &str = "Bearer canary-of-a-token";

/// Answers each request that has the token with the next of these, and counts them.
async fn server(answers: Vec<&'static str>) -> (Arc<Mutex<usize>>, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::<Mutex<usize>>::default();
    let counted = Arc::clone(&asked);
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            *counted.lock().unwrap() += 1;
            let mut request = [0; 4_096];
            let read = stream.read(&mut request).await.unwrap();
            let request = String::from_utf8_lossy(&request[..read]);
            assert!(request.contains(TOKEN), "{request}");
            stream.write_all(answer.as_bytes()).await.unwrap();
            // What is left unread would take the answer with it.
            while let Ok(1..) = stream.read(&mut [0; 4_096]).await {}
        }
    });
    (asked, port)
}

async fn sent(url: &str, network: Option<&str>) -> Result<Reply, TransportError> {
    sent_reading(url, network, 0).await
}

async fn sent_reading(
    url: &str,
    network: Option<&str>,
    max_body: usize,
) -> Result<Reply, TransportError> {
    let addresses = AddressPolicy::public();
    let addresses = match network {
        Some(network) => addresses.allow(network.parse().unwrap()),
        None => addresses,
    };
    let (tls, token) = (tls::of_nobody().unwrap(), HeaderValue::from_static(TOKEN));
    let transport = HttpTransport::new(addresses.clone(), tls, Some(token)).unwrap();
    let request = Request::post(url).body(Bytes::from_static(b"{}")).unwrap();
    let mut limits = RequestLimits::new(addresses);
    limits.max_body = max_body;
    transport.request(request, &limits).await
}

const REDIRECT: &str = "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\
                        connection: close\r\n\r\n";
const LATER: &str =
    "HTTP/1.1 503 Later\r\nretry-after: 70\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn an_answer_is_given_as_it_is_and_no_redirect_followed() {
    let (asked, port) = server(vec![REDIRECT, LATER]).await;
    let url = format!("http://127.0.0.1:{port}/hook");
    let reply = sent(&url, Some("127.0.0.0/8")).await.unwrap();
    assert_eq!((reply.status, reply.retry_after), (StatusCode::FOUND, None));
    let reply = sent(&url, Some("127.0.0.0/8")).await.unwrap();
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.retry_after, Some(Duration::from_secs(70)));
    assert_eq!(*asked.lock().unwrap(), 2);
}

const COSIGNED: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nlines";

#[tokio::test]
async fn a_body_is_given_if_it_is_wanted_and_no_longer_than_it_may_be() {
    let (_, port) = server(vec![COSIGNED; 3]).await;
    let url = format!("http://127.0.0.1:{port}/add-checkpoint");
    let reading = async |most| sent_reading(&url, Some("127.0.0.0/8"), most).await;
    assert_eq!(reading(0).await.unwrap().body, "");
    assert_eq!(reading(5).await.unwrap().body, "lines");
    let refused = reading(4).await;
    assert!(
        matches!(refused, Err(TransportError::TooLong)),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_private_address_gets_nothing_however_it_is_spelt() {
    let (asked, port) = server(vec![LATER]).await;
    for host in [
        "127.0.0.1",
        "localhost",
        "0x7f.1",
        "2130706433",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
    ] {
        let error = sent(&format!("http://{host}:{port}/"), None).await;
        let error = error.unwrap_err();
        assert!(
            matches!(error, TransportError::Address(_)),
            "{host}: {error:?}"
        );
    }
    assert_eq!(*asked.lock().unwrap(), 0);
    let error = sent("http://127.0.0.1:9/", Some("10.0.0.0/8")).await;
    assert!(matches!(error, Err(TransportError::Address(_))));
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_told_without_its_url() {
    let error = sent("http://127.0.0.1:9/canary", Some("127.0.0.0/8")).await;
    let error = error.unwrap_err();
    let TransportError::Unreachable(cause) = &error else {
        panic!("{error:?}");
    };
    assert!(!format!("{cause} {cause:?}").contains("canary"));
}

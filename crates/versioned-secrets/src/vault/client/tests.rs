//! What is repeated, what is not, and what each answer counts as: against a server that says what it is told.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use secrecy::ExposeSecret as _;

use super::*;
use crate::vault::AppRole;

/// A server that gives each answer to one request, each on a connection of its own, and then none; and what
/// it was sent.
fn server(answers: Vec<String>) -> (VaultClientBuilder, Receiver<String>) {
    drop(rustls::crypto::ring::default_provider().install_default());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (sent, received) = channel();
    thread::spawn(move || {
        for answer in answers {
            let (mut connection, _) = listener.accept().unwrap();
            // Before the answer, so that who has the answer finds the request.
            if sent.send(request_on(&mut connection)).is_err() {
                return;
            }
            connection.write_all(answer.as_bytes()).unwrap();
        }
    });
    let token = SecretString::from("canary-token");
    (VaultClient::builder(address).token(token), received)
}

fn request_on(connection: &mut TcpStream) -> String {
    let mut request = String::new();
    let mut buffer = [0; 4096];
    loop {
        let read = connection.read(&mut buffer).unwrap();
        request.push_str(str::from_utf8(&buffer[..read]).unwrap());
        let Some((head, body)) = request.split_once("\r\n\r\n") else {
            assert!(read > 0, "the request breaks off: {request}");
            continue;
        };
        let length = head.lines().find_map(|line| {
            let line = line.to_ascii_lowercase();
            line.strip_prefix("content-length: ")?.parse().ok()
        });
        if body.len() >= length.unwrap_or(0) {
            return request;
        }
    }
}

fn answer(status: u16, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status} Word\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}

const DATA: &str = r#"{"data":{"a":"x"}}"#;

/// What a read becomes, and how many requests it took.
async fn read(answers: Vec<String>) -> (Result<VaultData, VaultError>, usize) {
    let (builder, received) = server(answers);
    let answer = builder.build().unwrap().read(&path()).await;
    (answer, received.try_iter().count())
}

fn path() -> VaultPath {
    VaultPath::new("secret/data/a").unwrap()
}

#[tokio::test]
async fn an_error_of_the_server_is_tried_again_twice() {
    for passing in [500, 502, 503, 429, 412, 473] {
        let unavailable = answer(passing, r#"{"errors":["some error"]}"#);
        let (data, requests) = read(vec![unavailable.clone(), answer(200, DATA)]).await;
        assert!(data.is_ok(), "{passing}: {data:?}");
        assert_eq!(requests, 2, "{passing}");
        let (error, requests) = read(vec![unavailable; 4]).await;
        assert!(
            matches!(error, Err(VaultError::Unavailable(_))),
            "{passing}: {error:?}"
        );
        assert_eq!(requests, 3, "{passing}");
    }
}

#[tokio::test]
async fn a_client_that_asks_once_repeats_nothing() {
    for passing in [500, 503, 429] {
        let unavailable = answer(passing, r#"{"errors":["some error"]}"#);
        let (builder, received) = server(vec![unavailable, answer(200, DATA)]);
        let client = builder.build().unwrap().asking_once();
        let error = client.read(&path()).await;
        assert!(
            matches!(error, Err(VaultError::Unavailable(_))),
            "{passing}: {error:?}"
        );
        assert_eq!(received.try_iter().count(), 1, "{passing}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_again() {
    let (data, requests) = read(vec![String::new(), answer(200, DATA)]).await;
    assert!(data.is_ok(), "{data:?}");
    assert_eq!(requests, 2);
}

#[tokio::test]
async fn a_refusal_is_final() {
    let errors = r#"{"errors":["one","two"]}"#;
    for status in [400, 403, 404, 405] {
        let (error, requests) = read(vec![answer(status, errors), answer(200, DATA)]).await;
        let is_expected = match &error {
            Err(VaultError::Denied { .. }) => status == 403,
            Err(VaultError::NotFound { .. }) => status == 404,
            Err(VaultError::Refused { messages, .. }) => *messages == ["one", "two"],
            _ => false,
        };
        assert!(is_expected, "{status}: {error:?}");
        assert_eq!(requests, 1, "{status}");
    }
}

#[tokio::test]
async fn what_is_not_of_vault_is_an_outage() {
    for status in [200, 400, 403, 404] {
        let (error, _) = read(vec![answer(status, "<html>not here</html>")]).await;
        let outage = VaultOutage::NotVault(status).to_string();
        assert!(
            matches!(&error, Err(VaultError::Unavailable(seen)) if seen.to_string() == outage),
            "{status}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_node_that_does_not_serve_is_told_apart() {
    let outage = async |status, body: &str| {
        let (builder, _received) = server(vec![answer(status, body)]);
        let client = builder.attempts(NonZeroU32::MIN).build().unwrap();
        match client.read(&path()).await {
            Err(VaultError::Unavailable(outage)) => outage,
            answer => panic!("{status}: {answer:?}"),
        }
    };
    let sealed = outage(503, r#"{"errors":["Vault is sealed"]}"#).await;
    assert!(matches!(sealed, VaultOutage::Sealed), "{sealed:?}");
    let standby = outage(503, r#"{"errors":["node is a standby"]}"#).await;
    assert!(matches!(standby, VaultOutage::Standby), "{standby:?}");
    let elsewhere = outage(307, "").await;
    assert!(matches!(elsewhere, VaultOutage::Standby), "{elsewhere:?}");
    let limited = outage(429, r#"{"errors":["request path limited"]}"#).await;
    assert!(matches!(limited, VaultOutage::Limited), "{limited:?}");
}

/// Neither followed, nor shown the token.
#[tokio::test]
async fn a_redirection_is_not_followed() {
    let (builder, elsewhere) = server(vec![answer(200, DATA)]);
    let to = format!(
        "HTTP/1.1 307 Word\r\nlocation: {}/\r\n",
        builder_address(&builder)
    );
    let redirect = format!("{to}connection: close\r\ncontent-length: 0\r\n\r\n");
    let (error, _) = read(vec![redirect; 3]).await;
    assert!(
        matches!(error, Err(VaultError::Unavailable(VaultOutage::Standby))),
        "{error:?}"
    );
    assert_eq!(elsewhere.try_iter().count(), 0);
}

fn builder_address(builder: &VaultClientBuilder) -> String {
    let client = builder.clone().build().unwrap();
    client.shared.transport.base.to_string()
}

#[tokio::test]
async fn a_call_ends_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    drop(rustls::crypto::ring::default_provider().install_default());
    let silent = VaultClient::builder(format!("http://{}", listener.local_addr().unwrap()));
    let silent = silent.token("t".into()).timeout(Duration::from_millis(50));
    let late = silent.build().unwrap().read(&path()).await;
    assert!(
        matches!(late, Err(VaultError::Unavailable(VaultOutage::TimedOut))),
        "{late:?}"
    );
}

#[tokio::test]
async fn a_request_carries_what_vault_needs_and_nothing_prints_it() {
    let (builder, received) = server(vec![answer(200, DATA), answer(204, "")]);
    let client = builder.namespace("team/a").build().unwrap();
    let data = client.read(&path()).await.unwrap();
    // EXPOSE: compared with what was read, in a test.
    assert_eq!(data.text("a").unwrap().expose_secret(), "x");
    let read = received.recv().unwrap().to_ascii_lowercase();
    assert!(
        read.starts_with("get /v1/secret/data/a http/1.1\r\n"),
        "{read}"
    );
    for field in [
        "x-vault-token: canary-token\r\n",
        "x-vault-namespace: team/a\r\n",
        "x-vault-request: true\r\n",
    ] {
        assert!(read.contains(field), "{read}");
    }
    let texts = [("plaintext", "canary \"text\""), ("context", "c")];
    client.write(&path(), &texts).await.unwrap();
    let written = received.recv().unwrap();
    assert!(
        written.starts_with("POST /v1/secret/data/a HTTP/1.1\r\n"),
        "{written}"
    );
    assert!(
        written.ends_with(r#"{"context":"c","plaintext":"canary \"text\""}"#),
        "{written}"
    );

    let away = client.write(&path(), &texts).await.unwrap_err();
    let printed = format!("{client:?} {away} {away:?} {:?}", client.shared.tokens);
    assert!(!printed.contains("canary"), "{printed}");
}

/// A token without a lease, as root tokens and some batch tokens are.
#[tokio::test]
async fn a_denial_does_not_repeat_a_login_that_has_no_lease() {
    let login = r#"{"auth":{"client_token":"t","lease_duration":0,"renewable":false}}"#;
    let denied = answer(403, r#"{"errors":["permission denied"]}"#);
    let mut answers = vec![answer(200, login)];
    answers.resize(8, denied);
    let (builder, received) = server(answers);
    let client = VaultClient::builder(builder_address(&builder))
        .app_role(AppRole::new("role", SecretString::from("secret")))
        .build()
        .unwrap();
    for _ in 0..3 {
        let error = client.read(&path()).await.unwrap_err();
        assert!(matches!(error, VaultError::Denied { .. }), "{error:?}");
    }
    let requests = Vec::from_iter(received.try_iter());
    let logins = requests.iter().filter(|it| it.contains("approle/login"));
    assert_eq!((logins.count(), requests.len()), (1, 4));
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_read_to_its_end() {
    let long = format!(r#"{{"data":{{"a":"{}"}}}}"#, "x".repeat(2 * 1024 * 1024));
    let (builder, _received) = server(vec![answer(200, &long)]);
    let error = builder.build().unwrap().read(&path()).await;
    assert!(
        matches!(
            error,
            Err(VaultError::Unavailable(VaultOutage::NotVault(200)))
        ),
        "{error:?}"
    );
}

#[tokio::test]
async fn what_vault_says_is_shortened() {
    let body = format!(
        r#"{{"errors":["{}\u0007","b","c","d","e"]}}"#,
        "ä".repeat(300)
    );
    let (error, _) = read(vec![answer(400, &body)]).await;
    let Err(VaultError::Refused { messages, .. }) = error else {
        panic!("{error:?}");
    };
    assert_eq!(messages, [&"ä".repeat(200), "b", "c", "d"]);
}

#[tokio::test]
async fn what_vault_repeats_of_a_request_is_left_out() {
    let body = r#"{"errors":["value: 'canary-text'","other"]}"#;
    let (builder, _received) = server(vec![answer(400, body)]);
    let client = builder.build().unwrap();
    let error = client
        .write(&path(), &[("a", "canary-text")])
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "Vault refuses a request to secret/data/a with status 400: (a message that repeats what was sent); other"
    );
    assert!(!format!("{error:?}").contains("canary"));
}

//! Whether a server accepts a key, whatever else it can do at the moment.

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Key, Server, wait_for};

/// What a server says of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyCheck {
    Accepted,
    Refused,
    /// It could not be checked; the answer says when to try again.
    Unavailable,
}

/// Sends what is refused after the key was checked and before anything is stored, by a client of this
/// address: so many wrong keys come from each.
pub(crate) async fn check_from(server: &Server, key: &Key, last: u8) -> KeyCheck {
    let client = reqwest::Client::builder()
        .local_address(std::net::IpAddr::from([127, 0, 0, last]))
        .build()
        .unwrap();
    let request = client.post(server.public_url("/v1/events"));
    check(request.bearer_auth(&key.text)).await
}

/// The same by a client that has sent no wrong keys.
pub(crate) async fn check_key(server: &Server, key: &Key) -> KeyCheck {
    check(server.request(Method::POST, "/v1/events", key)).await
}

async fn check(request: RequestBuilder) -> KeyCheck {
    let invalid = json!({
        "specversion": "1.0", "type": "page.viewed", "source": "test/web", "id": "1", "data": {}
    });
    let answer = request.json(&invalid).send().await.unwrap();
    match answer.status() {
        StatusCode::UNPROCESSABLE_ENTITY => KeyCheck::Accepted,
        StatusCode::UNAUTHORIZED => KeyCheck::Refused,
        StatusCode::SERVICE_UNAVAILABLE => {
            assert!(answer.headers().contains_key("retry-after"), "{answer:?}");
            let problem: Value = answer.json().await.unwrap();
            assert_eq!(problem["reason"], "auth.unavailable", "{problem}");
            KeyCheck::Unavailable
        }
        status => panic!("{status}: {}", answer.text().await.unwrap()),
    }
}

/// Asks the server to revoke a key.
pub(crate) async fn revoke(server: &Server, key: &Key) -> Response {
    let path = format!("/admin/api-keys/{}", key.kid);
    server.admin(Method::DELETE, &path).send().await.unwrap()
}

/// Until the outbox was read lately: before that, memory is not asked.
pub(crate) async fn wait_until_followed(server: &Server) {
    wait_for("a reading of the outbox", async || {
        let answer = server.admin(Method::GET, "/admin/cache").send().await;
        let report: Value = answer.unwrap().json().await.unwrap();
        (report["health"]["state"] == "confirmed").then_some(())
    })
    .await;
}

//! Operators have limits of their own, each client network for itself.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    time::Instant,
};

use futures_util::future::join_all;
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ADMIN_TOKEN, Data, Server, wait_for};

/// A route that asks nothing of the database: a report has no parameters.
const CHEAP: &str = "/admin/limits?shoe=1";

const REFUSED: &str =
    r#"ratelimit_decisions_total{policy="operator/admin",outcome="refused",source="memory"}"#;

/// 40 at once and then one a minute, in a file.
fn slow(data: &Data, burst: u32) {
    let file = data.path().join("limits.toml");
    let rule = format!("address = {{ per-hour = 60, burst = {burst} }}");
    fs::write(file, format!("[tier.operator.category.admin]\n{rule}\n")).unwrap();
}

fn start(data: &Data) -> Server {
    let mut command = data.command();
    command.env("INGEST_LIMITS_FILE", data.path().join("limits.toml"));
    Server::start_command(data, command)
}

async fn ask(server: &Server) -> Response {
    server.admin(Method::GET, CHEAP).send().await.unwrap()
}

/// Asks from another address of this machine.
async fn ask_from(server: &Server, address: Ipv4Addr, path: &str) -> StatusCode {
    let client = Client::builder().local_address(Some(address.into()));
    let url = format!("http://{}{path}", server.admin_address());
    let request = client.build().unwrap().get(url).bearer_auth(ADMIN_TOKEN);
    request.send().await.unwrap().status()
}

/// Uses up what there is.
async fn exhaust(server: &Server) -> Response {
    for _ in 0..1_000 {
        let answer = ask(server).await;
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            return answer;
        }
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    }
    panic!("nothing was refused");
}

#[tokio::test]
async fn of_41_requests_at_once_40_are_admitted_and_nobody_else_is_kept_out() {
    let data = Data::new();
    slow(&data, 40);
    let server = start(&data);
    // No more at a time than the admin listener has connections.
    let mut admitted = 0;
    for at_once in [14, 14, 13] {
        let requests: Vec<_> = (0..at_once)
            .map(|_| tokio::spawn(server.admin(Method::GET, CHEAP).send()))
            .collect();
        for request in requests {
            let answer = request.await.unwrap().unwrap();
            for field in ["ratelimit", "ratelimit-policy"] {
                assert!(answer.headers().contains_key(field), "{answer:?}");
            }
            match answer.status() {
                StatusCode::BAD_REQUEST => admitted += 1,
                status => assert_eq!(status, StatusCode::TOO_MANY_REQUESTS),
            }
        }
    }
    assert_eq!(admitted, 40);

    let answer = ask(&server).await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    let retry = answer.headers()["retry-after"].to_str().unwrap();
    assert!(retry.parse::<u64>().unwrap() >= 1, "{retry}");
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: Value = answer.json().await.unwrap();
    let kind = problem["type"].as_str().unwrap();
    assert!(kind.ends_with("#quota-exceeded"), "{problem}");
    assert_eq!(
        problem["violated-policies"],
        json!(["address"]),
        "{problem}"
    );
    // Health, readiness and metrics have no limit, and a request without the token has another.
    for path in ["/healthz", "/readyz", "/metrics"] {
        let answer = server.admin(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert!(!answer.headers().contains_key("ratelimit"), "{path}");
    }
    assert_eq!(server.metrics().await[REFUSED], 2.0);
    let url = format!("http://{}{CHEAP}", server.admin_address());
    let stranger = reqwest::get(url).await.unwrap();
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(server.metrics().await[REFUSED], 2.0);

    // Another address has its own; there it is seen that the refusals are on record.
    let path = "/admin/audit/events?action=admin.request";
    let other = Ipv4Addr::new(127, 0, 0, 2);
    assert_eq!(ask_from(&server, other, path).await, StatusCode::OK);
    let url = format!("http://{}{path}", server.admin_address());
    let client = Client::builder().local_address(IpAddr::V4(other));
    let request = client.build().unwrap().get(url).bearer_auth(ADMIN_TOKEN);
    let page: Value = request.send().await.unwrap().json().await.unwrap();
    let rows = page["events"].as_array().unwrap().iter();
    let rows = rows.filter(|event| event["detail"] == "limited").count();
    assert!(rows >= 1, "{rows}");
}

/// The default is 40 at once and 20 a second.
#[tokio::test]
async fn who_was_refused_is_admitted_again() {
    let server = Server::start();
    let begun = Instant::now();
    let mut admitted = 0.0;
    // Ten at once: one after the other may come no faster than they are admitted.
    let refused = loop {
        let answers = join_all((0..10).map(|_| ask(&server))).await;
        let is_refused = |answer: &Response| answer.status() == StatusCode::TOO_MANY_REQUESTS;
        let (refused, rest): (Vec<_>, Vec<_>) = answers.into_iter().partition(is_refused);
        admitted += f64::from(u32::try_from(rest.len()).unwrap());
        if let Some(refused) = refused.into_iter().next() {
            break refused;
        }
        assert!(admitted < 1_000.0, "nothing was refused");
    };
    let most = 40.0 + 20.0 * begun.elapsed().as_secs_f64();
    assert!((40.0..=most).contains(&admitted), "{admitted} of {most}");
    let policy = refused.headers()["ratelimit-policy"].to_str().unwrap();
    assert_eq!(policy, r#""admin";q=40;w=2"#);
    wait_for("room", async || {
        (ask(&server).await.status() == StatusCode::BAD_REQUEST).then_some(())
    })
    .await;
}

/// Limits that nobody could replace afterwards are refused, and the file is a way back in.
#[tokio::test]
async fn an_operator_gets_back_in() {
    let data = Data::new();
    slow(&data, 3);
    let server = start(&data);
    let rule = json!({ "per-hour": 59, "burst": 1 });
    let zero = json!({ "per-second": 1, "burst": 0 });
    for rule in [rule, zero] {
        let limits =
            json!({ "tier": { "operator": { "category": { "admin": { "address": rule } } } } });
        let put = server.admin(Method::PUT, "/admin/limits").json(&limits);
        let answer = put.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        let problem: Value = answer.json().await.unwrap();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with("`tier.operator"), "{problem}");
    }
    exhaust(&server).await;
    slow(&data, 1_000);
    wait_for("the file", async || {
        (ask(&server).await.status() == StatusCode::BAD_REQUEST).then_some(())
    })
    .await;
    let limits = json!({ "tier": { "operator": { "category": { "admin": {
        "address": { "per-second": 500, "burst": 900 } } } } } });
    let put = server.admin(Method::PUT, "/admin/limits").json(&limits);
    assert_eq!(put.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    let answer = ask(&server).await;
    let policy = answer.headers()["ratelimit-policy"].to_str().unwrap();
    assert_eq!(policy, r#""address";q=900;w=2"#);
}

/// Nothing of it waits for the database, and a refused request costs it nothing.
#[tokio::test]
async fn the_limits_hold_without_a_database() {
    let data = Data::new();
    slow(&data, 5);
    let server = start(&data);
    fs::remove_file(data.database()).unwrap();
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let request = server.admin(Method::GET, "/admin/limits").send().await;
        statuses.push(request.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 200, 200, 200, 429]);
}

//! What operators change is on record before it is done, or is not done.

use std::time::{Duration, Instant};

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::harness::{
    ALL_SCOPES, Data, HiddenLog, Server, count, on_record, page_view, readiness, wait_for,
};

async fn events(server: &Server, query: &str) -> Vec<Value> {
    on_record(server, &format!("&{query}")).await
}

async fn issue(server: &Server, tenant: &str) -> Response {
    let body = json!({ "tenant": tenant, "tier": "free", "scopes": ["events:write"] });
    let request = server.admin(Method::POST, "/admin/api-keys").json(&body);
    request.send().await.unwrap()
}

async fn put_limits(server: &Server, body: &Value) -> Response {
    let request = server.admin(Method::PUT, "/admin/limits").json(body);
    request.send().await.unwrap()
}

fn brief(event: &Value) -> Value {
    json!([
        event["action"],
        event["activity"],
        event["outcome"],
        event["tenant"]
    ])
}

/// Waits until where an operator is can be put beside an entry: the first data key for it is made for the first entry,
/// and may take longer than that waits for it. Gives how many entries of operators there are by then.
async fn wait_for_the_key_of_operators(server: &Server) -> usize {
    wait_for("where an operator is", async || {
        let last = events(server, "actor=admin-token").await.pop()?;
        let path = format!("/admin/audit/events/{}", last["n"]);
        let last = server.admin(Method::GET, &path).send().await.unwrap();
        let last: Value = last.json().await.unwrap();
        (!last["personal"].is_null()).then_some(())
    })
    .await;
    // And this look.
    events(server, "actor=admin-token").await.len() + 1
}

#[tokio::test]
async fn each_change_is_begun_and_finished_on_record() {
    let server = Server::start();
    let earlier = wait_for_the_key_of_operators(&server).await;
    let key = server.issue("acme", &ALL_SCOPES).await;
    let path = format!("/admin/api-keys/{}", key.kid);
    let answer = server.admin(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let unknown = "/admin/api-keys/wrvbIs64wM9D00107W2ewL";
    let answer = server.admin(Method::DELETE, unknown).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let limits = json!({ "client-address": { "per-second": 5_000, "burst": 5_000 } });
    let answer = put_limits(&server, &limits).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let detection = json!({ "tenant": { "acme": { "email": "seal" } } });
    let answer = server.admin(Method::PUT, "/admin/detection");
    let answer = answer.json(&detection).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let list = server.admin(Method::GET, "/admin/api-keys");
    assert_eq!(list.send().await.unwrap().status(), StatusCode::OK);

    let events = events(&server, "actor=admin-token").await;
    let events = &events[earlier..];
    let expected = [
        json!(["api_key.issue", "create", "unknown", "acme"]),
        json!(["api_key.issue", "create", "success", "acme"]),
        json!(["api_key.revoke", "delete", "unknown", "acme"]),
        json!(["api_key.revoke", "delete", "success", "acme"]),
        json!(["api_key.revoke", "delete", "unknown", "system"]),
        json!(["api_key.revoke", "delete", "failure", "system"]),
        json!(["limits.replace", "update", "unknown", "system"]),
        json!(["limits.replace", "update", "success", "system"]),
        json!(["detection.replace", "update", "unknown", "system"]),
        json!(["detection.replace", "update", "success", "system"]),
        json!(["api_key.list", "read", "success", "system"]),
    ];
    let shown: Vec<Value> = events.iter().map(brief).collect();
    assert_eq!(shown, expected);
    for finished in [1, 3, 5, 7, 9] {
        let (begun, finished) = (&events[finished - 1], &events[finished]);
        assert_eq!(finished["refs"], json!([begun["id"]]));
        assert_eq!(finished["trace"], begun["trace"]);
        let path = format!("/admin/audit/events/{}", begun["n"]);
        let one = server.admin(Method::GET, &path).send().await.unwrap();
        let one: Value = one.json().await.unwrap();
        assert_eq!(one["personal"], json!({ "ip": "127.0.0.1" }), "{one}");
    }
    let kid = json!([{ "type": "api_key", "id": key.kid }]);
    for event in &events[1..4] {
        assert_eq!(event["resources"], kid, "{event}");
    }
    assert_eq!(events[5]["detail"], "not_found");
    assert!(!json!(events).to_string().contains(&key.text));
}

#[tokio::test]
async fn the_command_line_leaves_its_user() {
    let data = Data::new();
    assert!(Server::start_on(&data).terminate().success());
    let run = |arguments: &[&str]| {
        let output = data.run(arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let scopes = "events:write";
    let issued = run(&[
        "api-key", "issue", "--tenant", "acme", "--scopes", scopes, "--json",
    ]);
    let issued: Value = serde_json::from_str(&issued).unwrap();
    run(&["api-key", "list"]);
    run(&["api-key", "revoke", issued["kid"].as_str().unwrap()]);
    let refused = data.run(&[
        "api-key",
        "issue",
        "--tenant",
        "a@b.example",
        "--scopes",
        scopes,
    ]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");

    let server = Server::start_on(&data);
    let user = rustix::process::getuid().as_raw();
    let events = events(
        &server,
        &format!("log=command-line&actor=command-line:{user}"),
    )
    .await;
    let shown: Vec<Value> = events
        .iter()
        .map(|event| json!([event["action"], event["outcome"]]))
        .collect();
    let expected = [
        json!(["api_key.issue", "unknown"]),
        json!(["api_key.issue", "success"]),
        json!(["api_key.list", "success"]),
        json!(["api_key.revoke", "unknown"]),
        json!(["api_key.revoke", "success"]),
        json!(["api_key.issue", "denied"]),
    ];
    assert_eq!(shown, expected);
    assert!(!json!(events).to_string().contains("b.example"));
}

#[tokio::test]
async fn whatever_an_operator_reads_is_on_record_once() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let key = format!("/admin/api-keys/{}", key.kid);
    for (path, action, tenant) in [
        ("/admin/api-keys", "api_key.list", "system"),
        (key.as_str(), "api_key.read", "acme"),
        ("/admin/limits", "limits.read", "system"),
        ("/admin/detection", "detection.read", "system"),
        ("/admin/quality", "quality.read", "system"),
        ("/admin/quality/report?tenant=acme", "quality.read", "acme"),
        (
            "/admin/quality/samples?tenant=acme",
            "quality.samples",
            "acme",
        ),
        ("/admin/slo", "slo.read", "system"),
        ("/admin/audit/events", "audit.read", "system"),
    ] {
        // To look is on record itself.
        let looks = usize::from(action == "audit.read" && tenant == "system");
        let rows = format!("action={action}&tenant={tenant}");
        let before = events(&server, &rows).await.len();
        let answer = server.admin(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let after = events(&server, &rows).await.len();
        assert_eq!(after, before + 1 + looks, "{path}");
    }
    for path in ["/healthz", "/readyz", "/metrics"] {
        let before = events(&server, "").await.len();
        server.admin(Method::GET, path).send().await.unwrap();
        assert_eq!(events(&server, "").await.len(), before + 1, "{path}");
    }
}

/// What cannot be put on record is neither done nor told as done; what need not be goes on.
#[tokio::test]
async fn without_a_place_for_the_event_nothing_is_changed() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let table = "apikey_cache_api_key";
    let path = format!("/admin/api-keys/{}", key.kid);
    let limits = json!({ "client-address": { "per-hour": 1, "burst": 1 } });
    let hidden = HiddenLog::of(&server).await;
    for request in [
        server
            .admin(Method::POST, "/admin/api-keys")
            .json(&json!({ "tenant": "acme", "tier": "free", "scopes": ["events:write"] })),
        server.admin(Method::DELETE, &path),
        server.admin(Method::POST, &format!("{path}/rotate")),
        server.admin(Method::PUT, "/admin/limits").json(&limits),
        server
            .admin(Method::PUT, "/admin/detection")
            .json(&json!({ "default": { "email": "off" } })),
        server.admin(Method::GET, "/admin/api-keys"),
        server.admin(Method::GET, "/admin/audit/events"),
        server.admin(Method::GET, "/admin/limits"),
        server.admin(Method::GET, "/admin/detection"),
        server.admin(Method::GET, "/admin/quality?tenant=acme"),
        server.admin(Method::GET, "/admin/quality/report"),
        server.admin(Method::GET, "/admin/quality/samples"),
    ] {
        let asked = Instant::now();
        let answer = request.send().await.unwrap();
        assert!(asked.elapsed() < Duration::from_millis(2_500));
        let place = answer.url().clone();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{place}");
        assert!(answer.headers().contains_key("retry-after"), "{place}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["reason"], "capacity.audit_unavailable");
    }
    assert_eq!(count(&data, table).await, 1);
    for n in 0..3 {
        let event = server.post("/v1/events", &key, &page_view(n));
        assert_eq!(event.send().await.unwrap().status(), StatusCode::ACCEPTED);
    }
    let (status, components) = readiness(&server).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(components["audit_log"]["state"], "degraded", "{components}");
    assert!(server.metrics().await["ingest_audit_unrecorded_total"] >= 12.0);
    hidden.show();
    // By itself, when there is a place again.
    let policy = wait_for("the policy", async || {
        let policy = server.admin(Method::GET, "/admin/detection").send().await;
        let policy = policy.unwrap();
        (policy.status() == StatusCode::OK).then_some(policy)
    });
    let policy: Value = policy.await.json().await.unwrap();
    assert_eq!(policy["default"]["email"], "reject");
    let (_, components) = readiness(&server).await;
    assert_eq!(components["audit_log"]["state"], "up", "{components}");
    let begun = events(&server, "action=api_key.issue").await;
    assert_eq!(begun.len(), 2, "{begun:?}");
}

#[tokio::test]
async fn what_was_done_is_found_a_page_at_a_time() {
    let server = Server::start();
    for _ in 0..3 {
        server.issue("acme", &ALL_SCOPES).await;
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/admin/audit/events?tenant=acme&limit=2{cursor}");
        let answer = server.admin(Method::GET, &path).send().await.unwrap();
        let page: Value = answer.json().await.unwrap();
        let events = page["events"].as_array().unwrap();
        assert!(events.len() <= 2);
        seen.extend(events.iter().map(|event| event["n"].as_u64().unwrap()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 6);
    assert!(
        seen.is_sorted_by(|before, after| before > after),
        "{seen:?}"
    );
    for (query, named) in [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=0", "cursor"),
        ("outcome=done", "success, denied"),
        ("tenants=acme", "tenant"),
        ("action=Lead", "action"),
        ("from=today", "from"),
        ("log=..", "log"),
    ] {
        let path = format!("/admin/audit/events?{query}");
        let answer = server.admin(Method::GET, &path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{query}");
        let problem: Value = answer.json().await.unwrap();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(named), "{query}: {detail}");
    }
}

/// Two readers of a name take it for the same, or it is no name.
#[tokio::test]
async fn names_of_tenants_cannot_be_mistaken() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    for name in [
        key.text.as_str(),
        "ada@example.com",
        "+442079460958",
        "__other__",
        "__unknown__",
        "system",
        "ACME",
        "Acme",
        "acme%20",
        "acm%65",
        "acme\u{0}",
        "acme\n",
        "acme\u{200b}",
        "\u{430}cme",
        "\u{ff41}cme",
        "acme ",
        "",
    ] {
        let answer = issue(&server, name).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{name:?}");
        let problem: Value = answer.json().await.unwrap();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("`tenant`"), "{detail}");
        assert!(name.len() < 5 || !detail.contains(name), "{detail}");
    }
    for (name, value) in [("tier", key.text.as_str()), ("scopes", "ada@example.com")] {
        let mut body = json!({ "tenant": "acme", "tier": "free", "scopes": ["events:write"] });
        body[name] = if name == "tier" {
            json!(value)
        } else {
            json!([value])
        };
        let request = server.admin(Method::POST, "/admin/api-keys").json(&body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        let problem = answer.text().await.unwrap();
        assert!(!problem.contains(value), "{problem}");
    }
    assert!(!server.logs().contains(&key.text));
    let another = issue(&server, "acme-2").await;
    assert_eq!(another.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn limits_round_trip_are_checked_and_outlive_the_process() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let read = async |server: &Server| -> Value {
        let answer = server.admin(Method::GET, "/admin/limits").send().await;
        answer.unwrap().json().await.unwrap()
    };
    let defaults = read(&server).await;
    let free = &defaults["policies"]["tier"]["free"]["category"]["ingest"]["tenant"];
    assert_eq!(*free, json!({ "per-second": 10, "burst": 20 }));
    let given = json!({
        "client-address": { "per-hour": 36_000, "burst": 1_000 },
        "tier": { "free": { "tenant": { "per-day": 100_000, "burst": 50 }, "category": { "read": {
            "key": { "per-minute": 60, "burst": 5, "name": "mine", "mode": "shadow" } } } } },
    });
    assert_eq!(
        put_limits(&server, &given).await.status(),
        StatusCode::NO_CONTENT
    );
    let set = read(&server).await;
    assert_eq!(set["policies"]["client-address"], given["client-address"]);
    assert_eq!(
        set["policies"]["tier"]["free"]["tenant"],
        given["tier"]["free"]["tenant"]
    );
    for body in [&set["policies"], &set] {
        assert_eq!(
            put_limits(&server, body).await.status(),
            StatusCode::NO_CONTENT
        );
        assert_eq!(read(&server).await["policies"], set["policies"]);
    }
    for (body, known) in [
        (
            json!({ "tier": { "gold": {} } }),
            "free, standard, enterprise",
        ),
        (
            json!({ "tier": { "free": { "category": { "injest": {} } } } }),
            "ingest, read",
        ),
        (
            json!({ "tier": { "free": { "category": { "ingest": { "keys": {} } } } } }),
            "tenant, key",
        ),
        (json!({ "teir": {} }), "client-address, tier"),
    ] {
        let answer = put_limits(&server, &body).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{body}");
        let problem: Value = answer.json().await.unwrap();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(known), "{body}: {detail}");
    }
    server.kill();
    let server = Server::start_on(&data);
    assert_eq!(read(&server).await["policies"], set["policies"]);
    assert_eq!(
        put_limits(&server, &json!({})).await.status(),
        StatusCode::NO_CONTENT
    );
    assert_eq!(read(&server).await["policies"], defaults["policies"]);
}

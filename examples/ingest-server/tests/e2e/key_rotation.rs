//! A key that replaces another: what it is allowed, how long both are good, and what is refused.

use std::fs::OpenOptions;

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, Key, Server, page_view, run_to_end, shell, wait_for};

/// A kid as this service makes them, of a key that is in no database.
const UNKNOWN: &str = "wrvbIs64wM9D00107W2ewL";

async fn status(server: &Server, key: &Key) -> StatusCode {
    let request = server.post("/v1/events", key, &page_view(1));
    request.send().await.unwrap().status()
}

async fn rotate(server: &Server, kid: &str, body: &Value) -> Response {
    let path = format!("/admin/api-keys/{kid}/rotate");
    let request = server.admin(Method::POST, &path).json(body);
    request.send().await.unwrap()
}

/// The key of an answer that shows one, and when the old one ends.
fn rotated(answer: &Value) -> (Key, String) {
    let text = |name: &str| answer[name].as_str().unwrap().to_owned();
    let key = Key {
        kid: text("kid"),
        text: text("key"),
    };
    (key, text("old_ends_at"))
}

async fn describe(server: &Server, kid: &str) -> Value {
    let path = format!("/admin/api-keys/{kid}");
    let answer = server.admin(Method::GET, &path).send().await.unwrap();
    answer.json().await.unwrap()
}

#[tokio::test]
async fn both_keys_work_during_the_overlap_and_the_old_one_not_after_it() {
    let server = Server::start();
    let old = server.issue("acme", &ALL_SCOPES).await;
    assert_eq!(status(&server, &old).await, StatusCode::ACCEPTED);
    let answer = rotate(&server, &old.kid, &json!({ "overlap_seconds": 10 })).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let (new, ends_at) = rotated(&answer.json().await.unwrap());
    assert_eq!(describe(&server, &old.kid).await["expires_at"], ends_at);
    assert_eq!(status(&server, &new).await, StatusCode::ACCEPTED);
    assert_eq!(status(&server, &old).await, StatusCode::ACCEPTED);
    wait_for("the end of the old key", async || {
        (status(&server, &old).await == StatusCode::UNAUTHORIZED).then_some(())
    })
    .await;
    let ended = describe(&server, &old.kid).await;
    assert_eq!(ended["status"], "expired");
    assert_eq!(status(&server, &new).await, StatusCode::ACCEPTED);
    assert!(!server.logs().contains(&new.text));
}

#[tokio::test]
async fn the_new_key_is_allowed_what_the_old_one_was() {
    let server = Server::start();
    let body = json!({
        "tenant": "acme", "tier": "free", "scopes": ["events:write", "leads:read"],
        "expires_at": "2100-01-01T00:00:00Z"
    });
    let issued = server.admin(Method::POST, "/admin/api-keys").json(&body);
    let issued: Value = issued.send().await.unwrap().json().await.unwrap();
    let old = issued["kid"].as_str().unwrap();
    let said = json!({ "expires_at": "2101-01-01T00:00:00Z" });
    let answer = rotate(&server, old, &said).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["expires_at"], "2101-01-01T00:00:00.000Z");
    let (new, ends_at) = rotated(&answer);
    let (old, described) = (
        describe(&server, old).await,
        describe(&server, &new.kid).await,
    );
    for member in ["tenant", "tier", "scopes", "not_before"] {
        assert_eq!(described[member], old[member], "{member}");
    }
    assert_eq!(old["expires_at"], ends_at);
    assert_eq!(status(&server, &new).await, StatusCode::ACCEPTED);
    let refused = server.post("/v1/leads", &new, &json!({ "email": "a@b.example" }));
    let refused = refused.send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert_eq!(described["expires_at"], "2101-01-01T00:00:00.000Z");

    let said = json!({ "overlap_seconds": 7_776_000, "expires_at": "2101-02-03T04:05:06Z" });
    let answer = rotate(&server, &new.kid, &said).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let (newest, _) = rotated(&answer.json().await.unwrap());
    let newest = describe(&server, &newest.kid).await;
    assert_eq!(newest["expires_at"], "2101-02-03T04:05:06.000Z");
}

/// The overlap is not the life of a key.
#[tokio::test]
async fn a_key_that_has_an_end_is_replaced_if_the_new_one_is_told_its_own() {
    let server = Server::start();
    let old = server.issue("acme", &ALL_SCOPES).await;
    // Nothing has to be said of a key without an end: then both are good for a day.
    let path = format!("/admin/api-keys/{}/rotate", old.kid);
    let answer = server.admin(Method::POST, &path).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::CREATED);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["expires_at"], Value::Null);
    let (first, ends_at) = rotated(&answer);
    assert_eq!(
        describe(&server, &first.kid).await["expires_at"],
        Value::Null
    );

    let lost = server.admin(Method::POST, &path).send().await.unwrap();
    assert_eq!(lost.status(), StatusCode::BAD_REQUEST);
    let problem: Value = lost.json().await.unwrap();
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("`expires_at`: ") && detail.contains("replaced before"),
        "{detail}"
    );
    let command = ["api-key", "rotate", &old.kid];
    let output = server.data().run(&command);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(describe(&server, &old.kid).await["expires_at"], ends_at);

    let said = json!({ "expires_at": "2100-01-01T00:00:00Z" });
    let answer = rotate(&server, &old.kid, &said).await;
    assert_eq!(answer.status(), StatusCode::CREATED);
    let (second, _) = rotated(&answer.json().await.unwrap());
    let described = describe(&server, &second.kid).await;
    assert_eq!(described["expires_at"], "2100-01-01T00:00:00.000Z");
    for key in [&old, &first, &second] {
        assert_eq!(status(&server, key).await, StatusCode::ACCEPTED);
    }
}

#[tokio::test]
async fn a_rotation_is_on_record_counted_and_logged() {
    let server = Server::start();
    let old = server.issue("acme", &ALL_SCOPES).await;
    let answer = rotate(&server, &old.kid, &json!({})).await;
    let (new, _) = rotated(&answer.json().await.unwrap());
    let wrong = json!({ "expires_at": "tomorrow" });
    let answer = rotate(&server, &new.kid, &wrong).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let answer = rotate(&server, UNKNOWN, &json!({})).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);

    let path = "/admin/audit/events?action=api_key.rotate";
    let events = wait_for("the refusal on record", async || {
        let page = server.admin(Method::GET, path).send().await.unwrap();
        let page: Value = page.json().await.unwrap();
        let events = page["events"].as_array().unwrap().clone();
        (events.len() == 5).then_some(events)
    })
    .await;
    let brief = |event: &Value| {
        json!([
            event["activity"],
            event["outcome"],
            event["tenant"],
            event["detail"]
        ])
    };
    let mut shown: Vec<String> = events
        .iter()
        .map(|event| brief(event).to_string())
        .collect();
    shown.sort_unstable();
    let mut expected = [
        json!(["update", "unknown", "acme", "begun"]),
        json!(["update", "success", "acme", null]),
        json!(["update", "denied", "system", "bad_request"]),
        json!(["update", "unknown", "system", "begun"]),
        json!(["update", "failure", "system", "not_found"]),
    ]
    .map(|event| event.to_string());
    expected.sort_unstable();
    assert_eq!(shown, expected);
    let done = events.iter().find(|event| event["outcome"] == "success");
    let kids = json!([
        { "type": "api_key", "id": old.kid },
        { "type": "api_key", "id": new.kid },
    ]);
    assert_eq!(done.unwrap()["resources"], kids);
    assert!(!json!(events).to_string().contains(&new.text));

    let metrics = server.metrics().await;
    for (outcome, count) in [("done", 1.0), ("rejected", 2.0)] {
        let name = format!(
            "ingest_admin_actions_total{{action=\"api_key.rotate\",outcome=\"{outcome}\"}}"
        );
        assert_eq!(metrics[&name], count, "{name}");
    }
    let logs = server.logs();
    let line = logs
        .lines()
        .find(|line| line.contains("api_key.rotate") && line.contains("\"done\""));
    let line = line.unwrap();
    assert!(line.contains(&old.kid) && line.contains(&format!("new kid {}", new.kid)));
    assert!(!logs.contains(&new.text));
}

#[tokio::test]
async fn a_key_that_is_not_good_is_not_rotated() {
    let server = Server::start();
    for kid in [UNKNOWN, "none", "%ff"] {
        let answer = rotate(&server, kid, &json!({})).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{kid}");
    }
    let refused = async |kid: &str, why: &str| {
        let before = describe(&server, kid).await;
        for overlap in [0, 60] {
            let answer = rotate(&server, kid, &json!({ "overlap_seconds": overlap })).await;
            assert_eq!(answer.status(), StatusCode::CONFLICT, "{why}");
            let problem: Value = answer.json().await.unwrap();
            assert_eq!(problem["type"], "urn:portcullis:problem:conflict");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains(why), "{detail}");
        }
        assert_eq!(describe(&server, kid).await, before);
    };
    let revoked = server.issue("acme", &ALL_SCOPES).await;
    let path = format!("/admin/api-keys/{}", revoked.kid);
    server.admin(Method::DELETE, &path).send().await.unwrap();
    refused(&revoked.kid, "is revoked").await;

    let expired = server.issue("acme", &ALL_SCOPES).await;
    rotate(&server, &expired.kid, &json!({ "overlap_seconds": 1 })).await;
    wait_for("the end of the key", async || {
        let described = describe(&server, &expired.kid).await;
        (described["status"] == "expired").then_some(())
    })
    .await;
    refused(&expired.kid, "has expired").await;

    // Somebody wrote into the table: what it says now is not vouched for.
    let altered = server.issue("acme", &["leads:read"]).await;
    let wider = "UPDATE apikey_cache_api_key SET scopes = 'events:write' WHERE kid = ?1";
    let mut other = server.data().connect().await;
    sqlx::query(wider)
        .bind(&altered.kid)
        .execute(&mut other)
        .await
        .unwrap();
    refused(&altered.kid, "cannot be verified").await;
    let described = describe(&server, &altered.kid).await;
    assert_eq!(described["status"], "unverifiable");
    assert_eq!(status(&server, &altered).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_body_that_says_something_else_is_refused() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    for body in [
        json!({ "overlap_seconds": -1 }),
        json!({ "overlap_seconds": 1.5 }),
        json!({ "overlap_seconds": "60" }),
        json!({ "overlap_seconds": 7_776_001 }),
        json!({ "overlap_seconds": u64::MAX }),
        json!({ "overlap": 60 }),
        json!({ "expires_at": "tomorrow" }),
        json!({ "expires_at": 1_800_000_000 }),
        json!({ "expires_at": "2001-01-01T00:00:00Z" }),
        json!({ "tenant": "globex" }),
        json!([60]),
        json!(60),
    ] {
        let answer = rotate(&server, &key.kid, &body).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{body}");
        let problem = answer.text().await.unwrap();
        assert!(!problem.contains("pcl_"), "{problem}");
    }
    let path = format!("/admin/api-keys/{}/rotate", key.kid);
    for (media_type, body, expected) in [
        ("application/json", "{", StatusCode::BAD_REQUEST),
        ("application/json", " ", StatusCode::BAD_REQUEST),
        (
            "application/x-www-form-urlencoded",
            "overlap_seconds=60",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        ("text/plain", "", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        let request = server.admin(Method::POST, &path);
        let request = request.header("content-type", media_type).body(body);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), expected, "{media_type} {body}");
    }
    let unchanged = describe(&server, &key.kid).await;
    assert_eq!(unchanged["expires_at"], Value::Null);
    let list = server.admin(Method::GET, "/admin/api-keys");
    let list: Value = list.send().await.unwrap().json().await.unwrap();
    assert_eq!(list["keys"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_rotation_on_the_command_line_reaches_a_running_server() {
    let server = Server::start();
    let old = server.issue("acme", &ALL_SCOPES).await;
    assert_eq!(status(&server, &old).await, StatusCode::ACCEPTED);
    let run = |arguments: &[&str]| {
        let arguments = [&["api-key", "rotate"], arguments].concat();
        let output = server.data().run(&arguments);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let answer = run(&[&old.kid, "--overlap", "7d", "--json"]);
    let (new, ends_at) = rotated(&serde_json::from_str(&answer).unwrap());
    assert_eq!(status(&server, &new).await, StatusCode::ACCEPTED);
    assert_eq!(status(&server, &old).await, StatusCode::ACCEPTED);
    assert_eq!(describe(&server, &old.kid).await["expires_at"], ends_at);

    let shown = run(&[&server.issue("acme", &ALL_SCOPES).await.kid]);
    assert!(shown.contains("\nexpires_at never\n"), "no end");

    let until = ["--expires-at", "2100-01-01T00:00:00Z"];
    let shown = run(&[&[&*new.kid, "--overlap", "0"], &until[..]].concat());
    let lines: Vec<_> = shown
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .collect();
    let [
        ("kid", kid),
        ("key", text),
        ("expires_at", end),
        ("old_ends_at", _),
    ] = lines[..]
    else {
        panic!("{} lines", lines.len());
    };
    assert_eq!(end, "2100-01-01T00:00:00.000Z");
    let newest = Key {
        kid: kid.to_owned(),
        text: text.to_owned(),
    };
    wait_for("the revocation to arrive", async || {
        (status(&server, &new).await == StatusCode::UNAUTHORIZED).then_some(())
    })
    .await;
    assert_eq!(status(&server, &newest).await, StatusCode::ACCEPTED);
    let described = describe(&server, kid).await;
    assert_eq!(described["expires_at"], "2100-01-01T00:00:00.000Z");

    let list = server.data().run(&["api-key", "list"]);
    let list = String::from_utf8(list.stdout).unwrap();
    let (head, rows) = list.split_once('\n').unwrap();
    assert!(
        head.contains("EXPIRES") && head.contains("LAST USED"),
        "{head}"
    );
    let row = rows.lines().find(|row| row.starts_with(kid)).unwrap();
    assert!(row.contains("2100-01-01T00:00:00Z  "), "{row}");

    for (arguments, code) in [
        (&[UNKNOWN][..], 1),
        (&["none"], 2),
        (&[kid, "--overlap", "91d"], 2),
        (&[kid, "--overlap", "1w"], 2),
        (&[kid, "--expires-at", "tomorrow"], 2),
        (&[&*new.kid], 1),
    ] {
        let arguments = [&["api-key", "rotate"], arguments].concat();
        let output = server.data().run(&arguments);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {output:?}"
        );
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    assert_eq!(status(&server, &newest).await, StatusCode::ACCEPTED);
}

fn listed(data: &Data) -> Vec<Value> {
    let output = data.run(&["api-key", "list", "--json"]);
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn a_new_key_that_cannot_be_shown_is_revoked_and_the_old_ones_end_is_told() {
    let server = Server::start();
    let old = server.issue("acme", &ALL_SCOPES).await;
    let data = server.data().clone();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = data.command();
    command.args(["api-key", "rotate", &old.kid]).stdout(full);
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let end = describe(&server, &old.kid).await["expires_at"].clone();
    let told = format!(
        "the old key {} is refused from {} on",
        old.kid,
        end.as_str().unwrap()
    );
    assert!(
        said.contains("is revoked: ") && said.contains(&told),
        "{said}"
    );
    let mut statuses: Vec<_> = listed(&data)
        .iter()
        .map(|key| key["status"].as_str().unwrap().to_owned())
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, ["active", "revoked"]);
}

#[tokio::test]
async fn where_nobody_would_see_a_key_nothing_is_rotated() {
    let server = Server::start();
    let old = server.issue("acme", &ALL_SCOPES).await;
    let data = server.data().clone();
    for redirection in [">&-", ">/dev/null"] {
        let script = format!("\"$0\" api-key rotate {} {redirection}", old.kid);
        let output = run_to_end(&mut shell(&script, &data.command()));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("none was issued"), "{said}");
    }
    let keys = listed(&data);
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0]["expires_at"], Value::Null);
}

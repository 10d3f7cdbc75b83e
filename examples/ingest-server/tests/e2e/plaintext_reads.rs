//! Who reads personal data in the clear is on record, or does not read it.

use std::{
    io::{PipeWriter, Write as _},
    process::Stdio,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use reqwest::{Method, Response, StatusCode};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, HiddenLog, Key, Server, on_record, wait_for};

async fn get(server: &Server, key: &Key, path: &str, reason: Option<&str>) -> Response {
    let mut request = server.request(Method::GET, path, key);
    if let Some(reason) = reason {
        request = request.header("x-access-reason", reason);
    }
    request.send().await.unwrap()
}

/// The events of an action, oldest first, as an operator sees them.
async fn events(server: &Server, query: &str) -> Vec<Value> {
    on_record(server, &format!("&{query}")).await
}

async fn reads(server: &Server) -> usize {
    let events = events(server, "tenant=acme").await;
    let reads = events.iter().filter(|event| event["activity"] == "read");
    reads.count()
}

#[tokio::test]
async fn each_read_in_the_clear_is_one_event_and_a_masked_one_by_id_is_none() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let body = json!({ "email": "a@b.example", "phone": "+442079460958" });
    let lead = server.lead(&key, &body).await;
    let by_id = format!("/v1/leads/{lead}");
    let by_email = "/v1/leads?email=a@b.example";
    for reason in [None, Some(""), Some("  ")] {
        let answer = get(&server, &key, &by_id, reason).await;
        assert_eq!(answer.status(), StatusCode::OK);
    }
    assert_eq!(reads(&server).await, 0);

    let missing = "/v1/leads/01a21473-4fe0-7d94-bf7c-5d47228ca4aa";
    let unknown = "/v1/leads?email=nobody@b.example";
    for (path, status) in [
        (by_id.as_str(), StatusCode::OK),
        (by_email, StatusCode::OK),
        (missing, StatusCode::NOT_FOUND),
        (unknown, StatusCode::OK),
    ] {
        let answer = get(&server, &key, path, Some("support T-1042, a@b.example")).await;
        assert_eq!(answer.status(), status);
        drop(answer.bytes().await.unwrap());
    }
    let events = events(
        &server,
        "tenant=acme&actor=KID".replace("KID", &key.kid).as_str(),
    )
    .await;
    let shown: Vec<Value> = events
        .iter()
        .map(|event| {
            json!([
                event["action"],
                event["outcome"],
                event["count"],
                event["fields"],
                event["resources"]
            ])
        })
        .collect();
    let resource = json!([{ "type": "lead", "id": lead }]);
    let fields = json!(["lead.email", "lead.phone"]);
    let id = missing.rsplit('/').next().unwrap();
    let expected = [
        json!(["lead.read", "success", 1, fields, resource]),
        json!(["lead.search", "success", 1, fields, resource]),
        json!(["lead.read", "failure", 1, [], [{ "type": "lead", "id": id }]]),
        json!(["lead.search", "success", 0, [], []]),
    ];
    assert_eq!(shown, expected);
    for event in &events {
        let reason = json!({ "code": "support", "ref": "T-1042" });
        assert_eq!(event["reason"], reason);
        assert_eq!(event["actor"], json!({ "type": "api_key", "id": key.kid }));
        assert_eq!(event["trace"].as_str().unwrap().len(), 32);
        // Where it was asked from, and what was typed, lies beside it.
        let path = format!("/admin/audit/events/{}", event["n"]);
        let one = server.admin(Method::GET, &path).send().await.unwrap();
        let one: Value = one.json().await.unwrap();
        let personal = json!({ "ip": "127.0.0.1", "text": "support T-1042, [email]" });
        assert_eq!(one["personal"], personal, "{one}");
        assert_eq!(&one["event"], event);
        assert!(!one["leaf"].as_str().unwrap().contains("127.0.0.1"));
    }
    // Whatever was looked for or shown, and however it may be written, is not there.
    let text = json!(events).to_string();
    for value in ["b.example", "nobody", "2079460958"] {
        assert!(!text.contains(value), "{text}");
    }
}

#[tokio::test]
async fn a_page_of_leads_is_one_event_that_names_them_all() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let mut leads = Vec::new();
    for n in 0..101 {
        let body = json!({ "email": format!("l{n}@b.example"), "phone": "+442079460958" });
        leads.push(server.lead(&key, &body).await);
    }
    let path = "/v1/leads?phone=%2B442079460958";
    let answer = get(&server, &key, path, Some("test")).await;
    let page: Value = answer.json().await.unwrap();
    let events = events(&server, "action=lead.search").await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["count"], 100);
    let ids = |list: &Value| -> Vec<Value> {
        let list = list.as_array().unwrap().iter();
        list.map(|one| one["id"].clone()).collect()
    };
    assert_eq!(ids(&events[0]["resources"]), ids(&page["leads"]));
}

#[tokio::test]
async fn a_reason_that_cannot_be_put_on_record_is_refused() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = server.lead(&key, &json!({ "email": "a@b.example" })).await;
    let path = format!("/v1/leads/{lead}");
    let too_long = "x".repeat(257);
    for path in [path.as_str(), "/v1/leads?email=a@b.example"] {
        let table: [&[&[u8]]; 5] = [
            &[b"a\tb"],
            &[b"caf\xe9"],
            &["a\u{202e}b".as_bytes()],
            &[too_long.as_bytes()],
            &[b"a", b"b"],
        ];
        for values in table {
            let mut request = server.request(Method::GET, path, &key);
            for value in values {
                let value = reqwest::header::HeaderValue::from_bytes(value).unwrap();
                request = request.header("x-access-reason", value);
            }
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{values:?}");
            let problem: Value = answer.json().await.unwrap();
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains("X-Access-Reason"), "{detail}");
        }
    }
    assert_eq!(reads(&server).await, 0);
}

#[tokio::test]
async fn refusals_are_on_record_together() {
    let server = Server::start();
    let clerk = server.issue("acme", &["leads:read"]).await;
    let writer = server.issue("acme", &["leads:write", "pii:read"]).await;
    let lead = server
        .lead(&writer, &json!({ "email": "a@b.example" }))
        .await;
    let path = format!("/v1/leads/{lead}");
    for _ in 0..20 {
        let masked = get(&server, &clerk, &path, Some("test")).await;
        assert_eq!(masked.json::<Value>().await.unwrap()["masked"], true);
        let refused = get(&server, &writer, &path, Some("test")).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    }
    // What has been gathered is written at the end, too.
    let data = server.data().clone();
    assert!(server.terminate().success());
    let server = Server::start_on(&data);
    for key in [&clerk, &writer] {
        let denied = events(&server, &format!("outcome=denied&actor={}", key.kid)).await;
        let counts: Vec<u64> = denied
            .iter()
            .map(|event| event["count"].as_u64().unwrap())
            .collect();
        assert!(counts.len() <= 3 && counts[0] == 1, "{denied:?}");
        assert_eq!(counts.iter().sum::<u64>(), 20, "{denied:?}");
        assert_eq!(denied[0]["detail"], "auth.scope");
        assert_eq!(denied[0]["tenant"], "acme");
    }
}

fn set_nonblocking(pipe: &PipeWriter) {
    let flags = rustix::fs::fcntl_getfl(pipe).unwrap();
    rustix::fs::fcntl_setfl(pipe, flags | rustix::fs::OFlags::NONBLOCK).unwrap();
}

/// Logs that are off, throttled, closed, full or stuck change nothing.
#[tokio::test]
async fn every_read_is_on_record_whatever_becomes_of_the_logs() {
    for (level, output) in [
        ("off", "file"),
        ("warn", "file"),
        ("trace", "stuck"),
        ("info", "full"),
        ("info", "closed"),
    ] {
        let data = Data::new();
        let mut command = data.command();
        command.env("INGEST_LOG", level);
        // The far end of the pipe is read by nobody, or is gone.
        let (far, mut near) = std::io::pipe().unwrap();
        let server = match output {
            // Nobody reads, and a write would wait until somebody does.
            "stuck" => Server::start_with_logs(&data, command, Stdio::from(near)),
            "full" => {
                set_nonblocking(&near);
                while near.write(&[b'\n'; 512]).is_ok() {}
                Server::start_with_logs(&data, command, Stdio::from(near))
            }
            "closed" => {
                drop(far);
                Server::start_with_logs(&data, command, Stdio::from(near))
            }
            _ => Server::start_command(&data, command),
        };
        let key = server.issue("acme", &ALL_SCOPES).await;
        let lead = server.lead(&key, &json!({ "email": "a@b.example" })).await;
        let path = format!("/v1/leads/{lead}");
        for batch in 0..10 {
            let asked = (0..20).map(|_| get(&server, &key, &path, Some("test")));
            for answer in join_all(asked).await {
                assert_eq!(answer.status(), StatusCode::OK, "{level} {output} {batch}");
            }
        }
        assert_eq!(reads(&server).await, 200, "{level} {output}");
    }
}

#[tokio::test]
async fn a_process_that_is_killed_after_its_answer_leaves_the_event() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = server.lead(&key, &json!({ "email": "a@b.example" })).await;
    let answer = server.read_lead(&key, &lead).await;
    server.kill();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(reads(&Server::start_on(&data)).await, 1);
}

/// Whether an answer shows the address in the clear; a masked one is asked for too, and given, but
/// for a search, which is on record whatever it shows.
async fn assert_refused(server: &Server, key: &Key, path: &str) {
    let asked = Instant::now();
    let answer = get(server, key, path, Some("test")).await;
    assert!(asked.elapsed() < Duration::from_millis(2_500));
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after"));
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["reason"], "capacity.audit_unavailable");
    assert!(!problem.to_string().contains("b.example"), "{problem}");
    let masked = get(server, key, path, None).await;
    let expected = if path.contains('?') {
        StatusCode::SERVICE_UNAVAILABLE
    } else {
        StatusCode::OK
    };
    assert_eq!(masked.status(), expected, "{path}");
}

#[tokio::test]
async fn without_a_place_for_the_event_nothing_is_shown_in_the_clear() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = server.lead(&key, &json!({ "email": "a@b.example" })).await;
    let path = format!("/v1/leads/{lead}");
    let search = "/v1/leads?email=a@b.example";
    assert_eq!(server.read_lead(&key, &lead).await.status(), StatusCode::OK);

    // A full disk.
    let limit = |bytes| {
        let pid = Pid::from_raw(server.pid().cast_signed());
        let limit = Rlimit {
            current: bytes,
            maximum: None,
        };
        prlimit(pid, Resource::Fsize, limit).unwrap();
    };
    limit(Some(1));
    for path in [path.as_str(), search] {
        assert_refused(&server, &key, path).await;
    }
    limit(None);
    wait_for("a read when there is room again", async || {
        let status = server.read_lead(&key, &lead).await.status();
        (status == StatusCode::OK).then_some(())
    })
    .await;

    // The log's files are gone.
    let hidden = HiddenLog::of(&server).await;
    for path in [path.as_str(), search] {
        assert_refused(&server, &key, path).await;
    }
    hidden.show();
    wait_for("a read when the files are there again", async || {
        let status = server.read_lead(&key, &lead).await.status();
        (status == StatusCode::OK).then_some(())
    })
    .await;
    let metrics = server.metrics().await;
    assert!(metrics["ingest_audit_unrecorded_total"] >= 4.0);
}

/// A database that another process has locked keeps nobody from reading, nor from being on record.
#[tokio::test]
async fn a_locked_database_keeps_no_read_off_the_record() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = server.lead(&key, &json!({ "email": "a@b.example" })).await;
    let mut other = data.connect().await;
    sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    assert_eq!(server.read_lead(&key, &lead).await.status(), StatusCode::OK);
    assert_eq!(reads(&server).await, 1);
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
}

/// Each answer in the clear has its event, whenever the process dies.
#[tokio::test]
async fn no_answer_in_the_clear_is_without_its_event_when_the_process_is_killed() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = server.lead(&key, &json!({ "email": "a@b.example" })).await;
    let path = format!("/v1/leads/{lead}");
    let mut answered = 0;
    let requests: Vec<_> = (0..64)
        .map(|_| {
            let request = server.request(Method::GET, &path, &key);
            tokio::spawn(request.header("x-access-reason", "test").send())
        })
        .collect();
    // Some are answered and some are not.
    wait_for("a first event", async || {
        (reads(&server).await > 0).then_some(())
    })
    .await;
    server.kill();
    for request in requests {
        if let Ok(answer) = request.await.unwrap()
            && answer.status() == StatusCode::OK
            && answer.bytes().await.is_ok()
        {
            answered += 1;
        }
    }
    assert!(reads(&Server::start_on(&data)).await >= answered);
}

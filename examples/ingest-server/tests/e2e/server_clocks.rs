//! The wall clock may be set to anything, at the start and meanwhile: nothing panics, stands still or
//! takes years, and what is written down is a date.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    harness::{ALL_SCOPES, Data, Key, Server, page_view, run_to_end, wait_for},
    programs::libfaketime,
};

/// At 1970, around the ends of 31 and 32 bits, at the end of what OTLP can say, on the last day.
const TIMES: [&str; 6] = [
    "1970-01-01 00:01:00",
    "2026-05-01 12:00:00",
    "2038-01-19 03:14:06",
    "2106-02-07 06:28:14",
    "2554-07-21 23:34:32",
    "9999-12-31 00:00:00",
];

/// Beyond what HTTP has a date for, or what a key or an event could be dated by.
const NO_TIMES: [&str; 3] = [
    "1966-03-04 05:06:07",
    "1969-12-31 23:00:00",
    "9999-12-31 23:59:59",
];

/// The server under a wall clock that a file sets; the monotonic clock is the system's.
#[derive(Debug)]
pub(crate) struct Clock(PathBuf);

impl Clock {
    /// A clock whose file is in this folder.
    pub(crate) fn beside(folder: &Path) -> Self {
        Self(folder.join("faketime"))
    }

    fn set(&self, time: &str) {
        self.write(&format!("@{time}"));
    }

    /// It is so much later than the system's, such as `+3h`.
    pub(crate) fn shift(&self, by: &str) {
        self.write(by);
    }

    fn write(&self, text: &str) {
        // In one step, since the server reads it all the time.
        let next = self.0.with_extension("next");
        fs::write(&next, text).unwrap();
        fs::rename(next, &self.0).unwrap();
    }

    pub(crate) fn command(&self, data: &Data) -> Command {
        let mut command = data.command();
        command
            .env("LD_PRELOAD", libfaketime())
            .env("FAKETIME_TIMESTAMP_FILE", &self.0)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        command
    }
}

/// Writes and reads as tenants and operators do.
async fn use_all_of_it(server: &Server, key: &Key, name: &str) {
    let mut event = page_view(name);
    event.as_object_mut().unwrap().remove("time");
    let answer = server.post("/v1/events", key, &event).send().await.unwrap();
    let date = answer.headers()["date"].to_str().unwrap().to_owned();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(
        status,
        StatusCode::ACCEPTED,
        "{name}: {text}: {}",
        server.logs()
    );
    assert!(date.ends_with(" GMT"), "{name}: {date}");
    let email = format!("{}@b.example", name.replace([' ', ':'], "-"));
    let lead = server.lead(key, &json!({ "email": email })).await;
    let read = server.read_lead(key, &lead).await;
    assert_eq!(read.status(), StatusCode::OK, "{name}");
    let read: Value = read.json().await.unwrap();
    assert_eq!(read["email"], email.as_str());
    assert_date(&read["created_at"], name);
    // Rejected, sampled, and beyond every bound that a time has.
    for time in [
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "1970-01-01T00:00:00Z",
    ] {
        let mut event = page_view(format!("{name} {time}"));
        event["time"] = json!(time);
        let answer = server.post("/v1/events", key, &event).send().await.unwrap();
        assert!(!answer.status().is_server_error(), "{name}: {time}");
    }
    for path in [
        "/admin/quality",
        "/admin/quality/report",
        "/admin/limits",
        "/admin/api-keys",
    ] {
        let answer = server.admin(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{name}: {path}");
    }
    let issued = server.issue("globex", &ALL_SCOPES).await;
    let path = format!("/admin/api-keys/{}", issued.kid);
    let revoked = server.admin(Method::DELETE, &path).send().await.unwrap();
    assert!(revoked.status().is_success(), "{name}");
    let ready = server.admin(Method::GET, "/readyz").send().await.unwrap();
    assert_eq!(ready.status(), StatusCode::OK, "{name}");
}

fn assert_date(text: &Value, name: &str) {
    let text = text.as_str().unwrap();
    let date = OffsetDateTime::parse(text, &Rfc3339);
    assert!(date.is_ok(), "{name}: {text}");
}

/// No duration is less than nothing or longer than the test, and nothing panicked.
async fn assert_sane(server: &Server) {
    const LONGEST_SECONDS: f64 = 600.0;
    for (name, value) in server.metrics().await {
        assert!(value >= 0.0, "{name} {value}");
        if name.contains("_seconds_sum") {
            assert!(value < LONGEST_SECONDS, "{name} {value}");
        }
        if name.starts_with("telemetry_panics_total") {
            assert_eq!(value, 0.0);
        }
    }
    for line in server.logs().lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        assert_date(&line["ts"], "log");
        assert_ne!(line["target"], "panic", "{line}");
    }
}

async fn rows(data: &Data) -> Vec<String> {
    sqlx::query_scalar("SELECT received_at FROM event UNION ALL SELECT updated_at FROM lead")
        .fetch_all(&mut data.connect().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn it_starts_and_serves_at_any_time() {
    for time in TIMES {
        let data = Data::new();
        let clock = Clock::beside(data.path());
        clock.set(time);
        let server = Server::start_command(&data, clock.command(&data));
        let key = server.issue("acme", &ALL_SCOPES).await;
        use_all_of_it(&server, &key, time).await;
        assert_sane(&server).await;
        let year = &time[..4];
        let rows = rows(&data).await;
        assert!(rows.iter().all(|at| at.starts_with(year)), "{rows:?}");
        assert!(server.terminate().success(), "{time}");
    }
}

#[tokio::test]
async fn it_serves_on_whatever_the_clock_is_set_to_meanwhile() {
    let data = Data::new();
    let clock = Clock::beside(data.path());
    clock.set(TIMES[1]);
    let server = Server::start_command(&data, clock.command(&data));
    // The operator asks more than 40 times at once.
    let address = json!({ "per-second": 1_000, "burst": 1_000 });
    let admin =
        json!({ "tier": { "operator": { "category": { "admin": { "address": address } } } } });
    let raised = server
        .admin(Method::PUT, "/admin/limits")
        .json(&admin)
        .send();
    assert_eq!(raised.await.unwrap().status(), StatusCode::NO_CONTENT);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let steps = [(0, 5), (5, 0), (0, 1), (1, 4), (4, 2), (2, 5), (5, 3)];
    for (round, (first, last)) in steps.into_iter().enumerate() {
        for time in [TIMES[first], TIMES[last]] {
            clock.set(time);
            use_all_of_it(&server, &key, &format!("{round} {time}")).await;
        }
        // What the background does goes on: revocations are confirmed by the monotonic clock.
        wait_for("confirmed revocations", async || {
            let answer = server.admin(Method::GET, "/readyz").send().await.unwrap();
            let ready: Value = answer.json().await.unwrap();
            (ready["components"]["api_key_cache"]["state"] == "up").then_some(())
        })
        .await;
    }
    assert_sane(&server).await;
    assert!(server.terminate().success());
}

#[tokio::test]
async fn a_clock_that_is_not_set_is_refused_at_the_start() {
    for time in NO_TIMES {
        let data = Data::new();
        let clock = Clock::beside(data.path());
        clock.set(time);
        let output = run_to_end(clock.command(&data).arg("serve"));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{time}: {said}");
        assert!(said.contains("the clock of this machine"), "{time}: {said}");
        assert!(!said.contains("panicked"), "{time}: {said}");
    }
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

#[tokio::test]
async fn a_clock_that_is_set_wrong_meanwhile_is_refused_until_it_is_right() {
    let data = Data::new();
    let clock = Clock::beside(data.path());
    clock.set(TIMES[1]);
    let server = Server::start_command(&data, clock.command(&data));
    let key = server.issue("acme", &ALL_SCOPES).await;
    for time in NO_TIMES {
        // A connection that is open stays, until its next request is refused too.
        let mut open = TcpStream::connect(server.public_address()).unwrap();
        open.write_all(REQUEST).unwrap();
        let mut answer = [0; 9];
        open.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 ");
        clock.set(time);
        // What is on its way at that moment may be cut off.
        wait_for("the clock to be seen", async || {
            let answer = server.admin(Method::GET, "/readyz").send().await.ok()?;
            (answer.status() == StatusCode::SERVICE_UNAVAILABLE).then_some(())
        })
        .await;
        for request in [
            server.post("/v1/events", &key, &page_view(time)),
            server.admin(Method::GET, "/readyz"),
        ] {
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{time}");
            let problem: Value = answer.json().await.unwrap();
            assert_eq!(problem["reason"], "capacity.clock", "{time}");
            assert_eq!(problem["trace_id"].as_str().unwrap().len(), 32);
        }
        open.write_all(REQUEST).unwrap();
        let mut rest = String::new();
        open.read_to_string(&mut rest).unwrap();
        let refused = rest.contains("HTTP/1.1 503 ") && rest.contains("capacity.clock");
        assert!(refused, "{time}: {rest}");
        clock.set(TIMES[1]);
        use_all_of_it(&server, &key, &format!("after {time}")).await;
    }
    assert_sane(&server).await;
    assert!(server.terminate().success());
}

/// A key is dated by the wall clock, whose word is then law.
#[tokio::test]
async fn a_key_expires_by_the_date() {
    let data = Data::new();
    let clock = Clock::beside(data.path());
    clock.set("2026-05-01 12:00:00");
    let server = Server::start_command(&data, clock.command(&data));
    let body = json!({
        "tenant": "acme", "tier": "standard", "scopes": ["events:write"],
        "expires_at": "2026-05-02T00:00:00Z"
    });
    let issued = server.admin(Method::POST, "/admin/api-keys").json(&body);
    let issued: Value = issued.send().await.unwrap().json().await.unwrap();
    assert!(issued["key"].is_string(), "{issued}");
    let text = |name: &str| issued[name].as_str().unwrap().to_owned();
    let key = Key {
        kid: text("kid"),
        text: text("key"),
    };
    for (time, expected) in [
        ("2026-05-01 23:59:00", StatusCode::ACCEPTED),
        ("2026-05-02 00:01:00", StatusCode::UNAUTHORIZED),
        ("9999-12-31 23:00:00", StatusCode::UNAUTHORIZED),
        ("2026-05-01 12:00:00", StatusCode::ACCEPTED),
    ] {
        clock.set(time);
        let event = page_view(time);
        let answer = server.post("/v1/events", &key, &event).send().await;
        assert_eq!(answer.unwrap().status(), expected, "{time}");
    }
}

/// The oldest data key that seals e-mails, in days, and how many keys have sealed for too long.
async fn age_of_data_keys(server: &Server) -> (f64, f64) {
    let oldest = r#"keyring_oldest_primary_seconds{purpose="email"}"#;
    wait_for("the first count of the data keys", async || {
        let metrics = server.metrics().await;
        let age = metrics.get(oldest)? / 86_400.0;
        Some((age, metrics["keyring_overdue_keys"]))
    })
    .await
}

#[tokio::test]
async fn data_keys_are_overdue_by_the_date() {
    let data = Data::new();
    let clock = Clock::beside(data.path());
    clock.set("2026-05-01 12:00:00");
    let server = Server::start_command(&data, clock.command(&data));
    let key = server.issue("acme", &ALL_SCOPES).await;
    server
        .lead(&key, &json!({ "email": "ada@example.com" }))
        .await;
    assert!(server.terminate().success());
    let keys = "SELECT count(*) FROM keyring_data_key WHERE state = 'primary'";
    let mut database = data.connect().await;
    let keys: u32 = sqlx::query_scalar(keys)
        .fetch_one(&mut database)
        .await
        .unwrap();
    let keys = f64::from(keys);
    for (time, days, overdue) in [
        ("2026-05-11 12:00:00", 10.0, 0.0),
        ("2026-07-30 11:00:00", 90.0, 0.0),
        ("2026-07-30 13:00:00", 90.0, keys),
        ("2026-08-09 12:00:00", 100.0, keys),
    ] {
        clock.set(time);
        let server = Server::start_command(&data, clock.command(&data));
        let (age, counted) = age_of_data_keys(&server).await;
        assert!((age - days).abs() < 0.1, "{time}: {age} days");
        assert_eq!(counted, overdue, "{time}");
        assert!(server.terminate().success());
    }
}

#[tokio::test]
async fn a_rotated_key_ends_and_its_successor_begins_by_the_date() {
    let data = Data::new();
    let clock = Clock::beside(data.path());
    clock.set("2026-05-01 12:00:00");
    let server = Server::start_command(&data, clock.command(&data));
    let body = json!({
        "tenant": "acme", "tier": "standard", "scopes": ["events:write"],
        "not_before": "2026-05-01T13:00:00Z", "expires_at": "2026-06-01T12:00:00Z"
    });
    let issued = server.admin(Method::POST, "/admin/api-keys").json(&body);
    let key = |answer: &Value| {
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        Key {
            kid: text("kid"),
            text: text("key"),
        }
    };
    let old = key(&issued.send().await.unwrap().json().await.unwrap());
    let status = async |key: &Key| {
        let answer = server.post("/v1/events", key, &page_view("x")).send().await;
        answer.unwrap().status()
    };
    clock.set("2026-05-01 12:59:00");
    assert_eq!(status(&old).await, StatusCode::UNAUTHORIZED);
    clock.set("2026-05-01 13:01:00");
    assert_eq!(status(&old).await, StatusCode::ACCEPTED);

    clock.set("2026-05-10 12:00:00");
    let path = format!("/admin/api-keys/{}/rotate", old.kid);
    let body = json!({ "overlap_seconds": 3_600, "expires_at": "2026-06-10T12:00:00Z" });
    let rotated = server.admin(Method::POST, &path).json(&body).send().await;
    let rotated: Value = rotated.unwrap().json().await.unwrap();
    let new = key(&rotated);
    let end = rotated["old_ends_at"].as_str().unwrap();
    assert!(end.starts_with("2026-05-10T13:00:0"), "{end}");
    for (time, of_old, of_new) in [
        (
            "2026-05-10 12:59:00",
            StatusCode::ACCEPTED,
            StatusCode::ACCEPTED,
        ),
        (
            "2026-05-10 13:01:00",
            StatusCode::UNAUTHORIZED,
            StatusCode::ACCEPTED,
        ),
        (
            "2026-06-10 11:59:00",
            StatusCode::UNAUTHORIZED,
            StatusCode::ACCEPTED,
        ),
        // Its own end, which had to be said.
        (
            "2026-06-10 12:01:00",
            StatusCode::UNAUTHORIZED,
            StatusCode::UNAUTHORIZED,
        ),
    ] {
        clock.set(time);
        assert_eq!(status(&old).await, of_old, "{time}");
        assert_eq!(status(&new).await, of_new, "{time}");
    }
}

//! JSON that is made to end the process, to lose a value or to change one.

use std::{collections::BTreeSet, fs, io::Write as _};

use flate2::{Compression, write::GzEncoder};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    conservation::assert_balanced,
    harness::{ALL_SCOPES, Key, Server, count, page_view},
    packages,
};

/// Names under which `serde_json` hides text and numbers from itself.
const TOKENS: [&str; 2] = [
    "$serde_json::private::RawValue",
    "$serde_json::private::Number",
];

/// The most that a request body may unpack to.
const MAX_BYTES: usize = 1 << 20;

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// An event with this text as its data.
fn event(id: &str, data: &str) -> String {
    let head = r#""specversion":"1.0","type":"page.viewed","source":"s""#;
    format!(r#"{{{head},"id":"{id}","data":{data}}}"#)
}

/// The status, the answer and its reason.
async fn post(server: &Server, key: &Key, path: &str, body: Vec<u8>, packed: bool) -> (u16, Value) {
    let mut request = server
        .request(Method::POST, path, key)
        .header("content-type", "application/json")
        .body(body);
    if packed {
        request = request.header("content-encoding", "gzip");
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Brackets within text within brackets, each level under a token of the library's.
fn hidden(token: &str, levels: usize) -> String {
    let wrap = |inner: &str| format!("{}{inner}{}", "[".repeat(25), "]".repeat(25));
    (0..levels).fold(wrap("1"), |text, _| {
        // Every sign in the shortest form that a string has for it.
        wrap(&json!({ token: text }).to_string())
    })
}

#[tokio::test]
async fn no_nesting_ends_the_process() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let mut bodies = Vec::new();
    for token in TOKENS {
        // Each level doubles the backslashes of the one before.
        for levels in [1, 8, 14] {
            let text = json!({ token: hidden(token, levels) }).to_string();
            bodies.push((
                format!("{token} {levels}"),
                text,
                "schema.additional_property",
            ));
        }
        // The same with escapes that do not double.
        let mut text = "[".repeat(120) + &"]".repeat(120);
        for _ in 0..48 {
            let inner = text.replace('\\', r"\u005c").replace('"', r"\u0022");
            text = format!(
                r#"{}{{"{token}":"{inner}"}}{}"#,
                "[".repeat(120),
                "]".repeat(120)
            );
        }
        let inner = text.replace('\\', r"\u005c").replace('"', r"\u0022");
        let text = format!(r#"{{"{token}":"{inner}"}}"#);
        bodies.push((format!("{token} 48"), text, "schema.additional_property"));
    }
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"\":[", "]}]")] {
        for levels in [48, 200, 100_000] {
            let (open, close) = (open.repeat(levels), close.repeat(levels));
            bodies.push((
                format!("{levels} closed"),
                format!("{open}1{close}"),
                "parse.depth",
            ));
            bodies.push((format!("{levels} open"), open, "parse.depth"));
        }
    }
    for (name, data, reason) in bodies {
        let text = event("x", &data);
        for text in [text.clone(), format!("[{text}]")] {
            if text.len() > MAX_BYTES {
                continue;
            }
            for packed in [false, true] {
                let body = if packed {
                    gzip(&text)
                } else {
                    text.clone().into()
                };
                let (status, answer) = post(&server, &key, "/v1/events", body, packed).await;
                assert_eq!(answer["reason"], reason, "{name}: {answer}");
                assert!((400..500).contains(&status), "{name}: {status}");
            }
        }
    }
    let (status, _) = post(
        &server,
        &key,
        "/v1/events",
        event("y", r#"{"url":"u"}"#).into(),
        false,
    )
    .await;
    assert_eq!(status, 202);
    assert_balanced(&server).await;
}

#[tokio::test]
async fn nothing_is_lost_to_a_repeated_name() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    for (path, body) in [
        (
            "/v1/events",
            event("k", r#"{"url":"u1"},"data":{"url":"u2"}"#),
        ),
        ("/v1/events", event("k", r#"{"url":"u1","\u0075rl":"u2"}"#)),
        ("/v1/events", event("k", r#"{"url":"u"},"id":"k""#)),
        (
            "/v1/leads",
            r#"{"email":"a@b.example","email":"c@d.example"}"#.to_owned(),
        ),
    ] {
        let (status, answer) = post(&server, &key, path, body.clone().into(), false).await;
        assert_eq!(
            (status, &answer["reason"]),
            (400, &json!("parse.repeated_name")),
            "{body}"
        );
        let detail = answer["detail"].as_str().unwrap();
        assert!(
            detail.starts_with("the member name at line 1 column "),
            "{detail}"
        );
    }
    for table in ["event", "lead"] {
        assert_eq!(count(server.data(), table).await, 0);
    }
    // An operator's text is read the same way.
    for (method, path, body) in [
        (
            Method::POST,
            "/admin/api-keys",
            r#"{"tenant":"a","tenant":"b","tier":"free","scopes":[]}"#,
        ),
        (Method::PUT, "/admin/limits", r#"{"tier":{},"tier":{}}"#),
    ] {
        let answer = server.admin(method, path).body(body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
        let answer: Value = answer.json().await.unwrap();
        assert!(
            answer["detail"]
                .as_str()
                .unwrap()
                .contains("repeats an earlier one"),
            "{answer}"
        );
    }
    assert_balanced(&server).await;
}

/// Numbers that are one number to 64 bits would make natural duplicates of two different events.
#[tokio::test]
async fn numbers_that_would_be_rounded_are_refused_and_others_kept_apart() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let purchase = |id: &str, cents: &str| {
        let head = r#""type":"purchase.completed","source":"s""#;
        let item = r#"{"sku":"x","quantity":1,"price_cents":1}"#;
        let data =
            format!(r#"{{"order":"o","currency":"EUR","total_cents":{cents},"items":[{item}]}}"#);
        format!(r#"{{{head},"id":"{id}","data":{data}}}"#).into_bytes()
    };
    for number in [
        "18446744073709551616",
        "18446744073709551617",
        "-9223372036854775809",
        "0.1000000000000000055511151231257827",
        "9007199254740993.0",
        "1e400",
        "1e-400",
    ] {
        let body = purchase("n", number);
        let (status, answer) = post(&server, &key, "/v1/events", body, false).await;
        assert_eq!(
            (status, &answer["reason"]),
            (400, &json!("parse.number")),
            "{answer}"
        );
        let detail = answer["detail"].as_str().unwrap();
        assert!(
            detail.ends_with("cannot be kept exactly; send it as a string"),
            "{detail}"
        );
        assert!(!detail.contains(number), "{detail}");
    }
    for (id, first, second, kind) in [
        ("a", "5", "6", "conflicting"),
        ("b", "5", "5.0", "conflicting"),
        ("c", "5.0", "0.50e1", "natural"),
    ] {
        let (_, answer) = post(&server, &key, "/v1/events", purchase(id, first), false).await;
        assert_eq!(answer["accepted"], 1, "{answer}");
        let name = format!("dq_outcomes_total{{tenant=\"acme\",outcome=\"duplicate_{kind}\"}}");
        let before = server
            .metrics()
            .await
            .get(&name)
            .copied()
            .unwrap_or_default();
        post(&server, &key, "/v1/events", purchase(id, second), false).await;
        assert_eq!(
            server.metrics().await.get(&name),
            Some(&(before + 1.0)),
            "{first} {second}"
        );
    }
    assert_balanced(&server).await;
}

#[tokio::test]
async fn a_fault_of_one_event_is_that_events_alone() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let good = |id: &str| page_view(id).to_string();
    let batch = [
        good("1"),
        event("2", r#"{"url":"u","url":"u"}"#),
        event("3", r#"{"url":1e999}"#),
        good("4"),
    ]
    .join(",\n");
    let (status, answer) = post(
        &server,
        &key,
        "/v1/events",
        format!("[{batch}]").into(),
        false,
    )
    .await;
    assert_eq!((status, &answer["accepted"]), (202, &json!(2)), "{answer}");
    let rejected: Vec<(&Value, &Value)> = answer["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["index"], &one["reason"]))
        .collect();
    assert_eq!(
        rejected,
        [
            (&json!(1), &json!("parse.repeated_name")),
            (&json!(2), &json!("parse.number"))
        ]
    );
    // Where the fault leaves open what the next event is, nothing is taken.
    for broken in ["nul", "{\"a\":}", "\"\\ud800\"", &"[".repeat(33)] {
        let body = format!("[{},{broken},{}]", good("5"), good("6"));
        let (status, _) = post(&server, &key, "/v1/events", body.into(), false).await;
        assert_eq!(status, 400, "{broken}");
    }
    assert_eq!(count(server.data(), "event").await, 2);
    assert_balanced(&server).await;
}

/// JSONTestSuite by Nicolas Seriot, as the package `actson` ships it: texts that are JSON (`y_`),
/// that are not (`n_`), and about which RFC 8259 says nothing (`i_`).
#[tokio::test]
async fn the_whole_json_test_suite_is_answered_as_it_says() {
    // JSON by its grammar, and with a value that would be lost.
    let repeated = BTreeSet::from([
        "y_object_duplicated_key.json",
        "y_object_duplicated_key_and_value.json",
    ]);
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let folder = packages::folder("actson").join("tests/json_test_suite/test_parsing");
    let mut seen = [0, 0, 0];
    for file in fs::read_dir(&folder).unwrap() {
        let file = file.unwrap();
        let name = file.file_name().into_string().unwrap();
        let text = fs::read(file.path()).unwrap();
        let (status, answer) = post(&server, &key, "/v1/events", text.clone(), false).await;
        let batch = [b"[", &*text, b"]"].concat();
        match name.as_bytes()[0] {
            // As an event that is not one.
            b'y' => {
                let (status, answer) = post(&server, &key, "/v1/events", batch, false).await;
                assert_eq!(status, 422, "{name}: {answer}");
                let reason = &answer["rejected"][0]["reason"];
                let is_repeated = reason == "parse.repeated_name";
                assert_eq!(is_repeated, repeated.contains(&*name), "{name}: {answer}");
                assert_ne!(reason, "parse.number", "{name}: {answer}");
                seen[0] += 1;
            }
            b'n' => {
                assert_eq!(status, 400, "{name}: {answer}");
                seen[1] += 1;
            }
            _ => {
                assert!([400, 422].contains(&status), "{name}: {answer}");
                seen[2] += 1;
            }
        }
    }
    assert!(seen[0] >= 95 && seen[1] >= 188 && seen[2] >= 35, "{seen:?}");
    assert_eq!(count(server.data(), "event").await, 0);
    assert_balanced(&server).await;
}

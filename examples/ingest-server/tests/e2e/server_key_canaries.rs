//! What makes a key, and what it is checked against, is in no log, metric, span or answer but the one that
//! issues it.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::json;
use sqlx::Row as _;

use crate::{
    forms::find,
    harness::{ALL_SCOPES, Data, Key, PEPPER, Server, page_view, wait_for},
    programs::collector,
};

/// What is looked for, by what it is.
struct Canaries(Vec<(&'static str, Vec<String>)>);

impl Canaries {
    async fn of(data: &Data, key: &Key) -> Self {
        let row = sqlx::query("SELECT hash, row_mac FROM apikey_cache_api_key WHERE kid = ?")
            .bind(&key.kid)
            .fetch_one(&mut data.connect().await)
            .await
            .unwrap();
        let (_, pepper) = PEPPER.split_once(':').unwrap();
        Self(vec![
            ("secret", vec![secret(key).to_owned()]),
            ("hash", of_bytes(&row.get::<Vec<u8>, _>(0))),
            ("row MAC", of_bytes(&row.get::<Vec<u8>, _>(1))),
            ("pepper", of_bytes(&STANDARD.decode(pepper).unwrap())),
        ])
    }

    /// What of them is in a text.
    fn found_in(&self, text: &str) -> Vec<&'static str> {
        let found = self.0.iter().filter(|(_, canaries)| {
            let mut canaries = canaries.iter();
            canaries.any(|canary| find(text.as_bytes(), canary).is_some())
        });
        found.map(|(what, _)| *what).collect()
    }
}

/// The part of a key that nobody else has, without its checksum.
fn secret(key: &Key) -> &str {
    let rest = key.text.rsplit('_').next().unwrap();
    &rest[..43]
}

/// As bytes are printed.
fn of_bytes(bytes: &[u8]) -> Vec<String> {
    let numbers = format!("{bytes:?}");
    let numbers = numbers.trim_matches(['[', ']']).to_owned();
    vec![
        hex::encode(bytes),
        hex::encode_upper(bytes),
        STANDARD_NO_PAD.encode(bytes),
        URL_SAFE_NO_PAD.encode(bytes),
        numbers.replace(", ", ","),
        numbers,
    ]
}

/// The head and the body of an answer.
async fn answer(request: RequestBuilder) -> (StatusCode, String) {
    let answer = request.send().await.unwrap();
    let (status, head) = (answer.status(), format!("{:?}", answer.headers()));
    (status, head + &answer.text().await.unwrap())
}

#[tokio::test]
async fn nothing_but_the_answer_that_issues_a_key_has_what_it_is_made_of() {
    let (collector, endpoint) = collector().await;
    let data = Data::new();
    let mut command = data.command();
    command
        .env("INGEST_LOG", "trace")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .env("OTEL_BSP_SCHEDULE_DELAY", "100")
        .env("INGEST_TRACE_SAMPLE_RATIO", "1");
    let server = Server::start_command(&data, command);

    let body = json!({ "tenant": "acme", "tier": "enterprise", "scopes": ALL_SCOPES });
    let issue = server.admin(Method::POST, "/admin/api-keys").json(&body);
    let (status, issued) = answer(issue).await;
    assert_eq!(status, StatusCode::CREATED);
    let body = &issued[issued.rfind('{').unwrap()..];
    let shown: serde_json::Value = serde_json::from_str(body).unwrap();
    let text = |name: &str| shown[name].as_str().unwrap().to_owned();
    let key = Key {
        kid: text("kid"),
        text: text("key"),
    };
    let canaries = Canaries::of(&data, &key).await;
    // The search works.
    assert_eq!(canaries.found_in(&issued), ["secret"]);
    for (what, forms) in &canaries.0 {
        for form in forms {
            assert_eq!(canaries.found_in(&format!("<{form}>")), [*what]);
        }
    }

    let kid = &key.kid;
    let get = |path: &str| server.admin(Method::GET, path);
    let event = |id: &str| server.post("/v1/events", &key, &page_view(id));
    let wrong = Key {
        text: format!("{}x", key.text),
        ..key.clone()
    };
    let lead = "/v1/leads/01890a5d-ac96-774b-bcce-b302099a8057";
    let narrow = server.issue("acme", &["leads:read"]).await;
    let one_key = format!("/admin/api-keys/{kid}");
    let mut answers = vec![
        answer(event("1")).await,
        answer(server.post("/v1/events", &key, &json!({ "bad": key.text }))).await,
        answer(server.request(Method::GET, lead, &key)).await,
        answer(server.request(Method::GET, &format!("/{}", secret(&key)), &key)).await,
        answer(server.post("/v1/events", &wrong, &page_view("2"))).await,
        answer(server.post("/v1/events", &narrow, &page_view("3"))).await,
        answer(get("/admin/api-keys")).await,
        answer(get(&one_key)).await,
        answer(get(&format!("/admin/api-keys/{}", key.text))).await,
        answer(server.admin(Method::POST, "/admin/api-keys").json(&shown)).await,
    ];

    // The row is not intact, and then not there.
    let mut database = data.connect().await;
    let statement = "UPDATE apikey_cache_api_key SET tier = 'free' WHERE kid = ?";
    let edited = sqlx::query(statement).bind(&narrow.kid);
    edited.execute(&mut database).await.unwrap();
    answers.push(answer(server.post("/v1/events", &narrow, &page_view("4"))).await);
    answers.push(answer(server.admin(Method::DELETE, &one_key)).await);
    answers.push(answer(server.admin(Method::DELETE, &one_key)).await);
    answers.push(answer(event("5")).await);
    let unused = server.issue("acme", &ALL_SCOPES).await;
    let of_unused = Canaries::of(&data, &unused).await;
    sqlx::query("ALTER TABLE apikey_cache_api_key RENAME TO gone")
        .execute(&mut database)
        .await
        .unwrap();
    let path = format!("/admin/api-keys/{}", unused.kid);
    answers.push(answer(server.post("/v1/events", &unused, &page_view("6"))).await);
    answers.push(answer(get(&path)).await);
    answers.push(answer(server.admin(Method::DELETE, &path)).await);
    answers.push(answer(get("/readyz")).await);
    answers.push(answer(get("/metrics")).await);
    answers.push(answer(get("/admin/audit/events?limit=500")).await);
    answers.push(answer(get("/admin/quality/samples")).await);

    let statuses: Vec<u16> = answers.iter().map(|(status, _)| status.as_u16()).collect();
    for status in [200, 202, 204, 400, 401, 403, 404, 422, 503] {
        assert!(statuses.contains(&status), "{status} in {statuses:?}");
    }
    wait_for("the span of a request that failed", async || {
        let output = collector.output();
        output.contains("DELETE /admin/api-keys").then_some(())
    })
    .await;
    let commands = [
        data.run(&["api-key", "list", "--json"]),
        data.run(&["api-key", "revoke", kid]),
        data.run(&["api-key", "revoke", &key.text]),
        data.run(&["check-config"]),
    ];
    assert!(server.terminate().success());
    let logs = data.logs();
    assert!(logs.contains(kid) || logs.contains(&narrow.kid), "{logs}");
    assert!(logs.contains("\"TRACE\"") || logs.contains("\"DEBUG\""));

    let answers = answers.into_iter().map(|(status, text)| {
        let place = format!("an answer of {status}");
        (place, text)
    });
    let printed = commands.map(|output| {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        let all = text(&output.stdout) + &text(&output.stderr);
        ("a command's output".to_owned(), all)
    });
    let others = [
        ("the logs".to_owned(), logs),
        ("the spans".to_owned(), collector.output()),
    ];
    for (place, text) in answers.chain(printed).chain(others) {
        for canaries in [&canaries, &of_unused] {
            assert_eq!(canaries.found_in(&text), Vec::<&str>::new(), "in {place}");
        }
    }
}

//! Secrets in files that change while the service runs: taken over without a restart and without a failed
//! request, or refused as a whole.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    files_of_secrets::{Files, REFUSED, TAKEN, logged},
    harness::{
        ALL_SCOPES, Data, Key, Server, page_view, random_secret, readiness, run_to_end, wait_for,
    },
    movement::assert_moved,
};

async fn counted(server: &Server, outcome: &str) -> f64 {
    let series = format!("ingest_secret_refreshes_total{{outcome=\"{outcome}\"}}");
    server.metrics().await[&series]
}

/// Waits until looks ended so: that is counted, and told by the component, after it is logged.
async fn wait_for_counted(server: &Server, outcome: &str) {
    wait_for(outcome, async || {
        (counted(server, outcome).await >= 1.0).then_some(())
    })
    .await;
}

async fn wait_for_up(server: &Server) {
    wait_for("secrets that are well", async || {
        (secrets_component(server).await["state"] == "up").then_some(())
    })
    .await;
}

async fn secrets_component(server: &Server) -> Value {
    let (status, components) = readiness(server).await;
    assert_eq!(status, StatusCode::OK, "{components}");
    components["secrets"].clone()
}

/// Sends events without a pause.
struct Traffic {
    is_over: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<u64>,
}

impl Traffic {
    fn start(server: &Server, key: &Key) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let (stop, url, text) = (
            Arc::clone(&is_over),
            server.public_url("/v1/events"),
            key.text.clone(),
        );
        let client = reqwest::Client::new();
        let task = tokio::spawn(async move {
            let mut sent = 0;
            while !stop.load(Ordering::Relaxed) {
                let event = page_view(format!("traffic-{sent}"));
                let request = client.post(&url).bearer_auth(&text).json(&event);
                let answer = request.send().await.unwrap();
                assert_eq!(answer.status(), StatusCode::ACCEPTED, "after {sent}");
                sent += 1;
            }
            sent
        });
        Self { is_over, task }
    }

    /// How many were accepted; none failed.
    async fn end(self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        self.task.await.unwrap()
    }
}

async fn status_with(server: &Server, token: &str) -> StatusCode {
    let url = format!("http://{}/admin/limits", server.admin_address());
    let request = reqwest::Client::new().get(url).bearer_auth(token);
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn the_admin_token_is_replaced_and_a_weak_one_is_refused() {
    let files = Files::new();
    let mut server = files.start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let traffic = Traffic::start(&server, &key);
    let old = files.first("INGEST_ADMIN_TOKEN");
    wait_for("a look that finds nothing new", async || {
        (counted(&server, "unchanged").await >= 1.0).then_some(())
    })
    .await;

    files.write("INGEST_ADMIN_TOKEN", "canary-canary-canary-canary-canary");
    logged(&server, REFUSED, 1).await;
    wait_for_counted(&server, "refused").await;
    let component = secrets_component(&server).await;
    assert_eq!(component["state"], "degraded", "{component}");
    assert!(component["age_seconds"].is_u64(), "{component}");
    assert_eq!(status_with(&server, &old).await, StatusCode::OK);
    let logs = server.logs();
    assert!(logs.contains("INGEST_ADMIN_TOKEN_FILE"), "{logs}");
    assert!(!logs.contains("canary"), "{logs}");

    let new = random_secret().replace('/', "-");
    files.write("INGEST_ADMIN_TOKEN", &new);
    logged(&server, TAKEN, 1).await;
    assert_eq!(status_with(&server, &new).await, StatusCode::OK);
    assert_eq!(status_with(&server, &old).await, StatusCode::UNAUTHORIZED);
    server.use_token(&new);
    wait_for_counted(&server, "replaced").await;
    assert_eq!(counted(&server, "replaced").await, 1.0);
    assert_eq!(secrets_component(&server).await, json!({ "state": "up" }));
    assert!(traffic.end().await > 0);
    let logs = server.logs();
    assert!(!logs.contains(&new) && !logs.contains(&old), "{logs}");
}

/// The version of the key-encryption key that each data key is wrapped under.
async fn kek_versions(data: &Data, tenant: &str) -> Vec<String> {
    let wrapped =
        "SELECT DISTINCT substr(hex(wrapped), 5, 8) FROM keyring_data_key WHERE tenant = ?";
    let rows = sqlx::query_scalar(wrapped).bind(tenant);
    rows.fetch_all(&mut data.connect().await).await.unwrap()
}

#[tokio::test]
async fn key_encryption_keys_are_replaced_and_none_is_dropped_that_a_data_key_needs() {
    let files = Files::new();
    let server = files.start();
    let acme = server.issue("acme", &ALL_SCOPES).await;
    let globex = server.issue("globex", &ALL_SCOPES).await;
    let lead = json!({ "email": "ada@example.com" });
    let before = server.lead(&acme, &lead).await;
    let traffic = Traffic::start(&server, &acme);

    let (first, second) = (files.first("PORTCULLIS_KEKS"), random_secret());
    let both = format!("{first},2:{second}");
    files.write("PORTCULLIS_KEKS", &both);
    logged(&server, TAKEN, 1).await;
    files.write("PORTCULLIS_KEKS_PRIMARY", "2");
    logged(&server, TAKEN, 2).await;
    let after = server.lead(&globex, &lead).await;
    assert_eq!(kek_versions(&files.data, "acme").await, ["00000001"]);
    assert_eq!(kek_versions(&files.data, "globex").await, ["00000002"]);

    // Too early; and another key under the same version.
    files.write("PORTCULLIS_KEKS", &format!("2:{second}"));
    logged(&server, REFUSED, 1).await;
    let missing = "PORTCULLIS_KEKS: version 1 is missing, and ";
    assert!(server.logs().contains(missing), "{}", server.logs());
    let other = random_secret();
    files.write("PORTCULLIS_KEKS", &format!("1:{other},2:{second}"));
    logged(&server, REFUSED, 2).await;
    let wrong = "PORTCULLIS_KEKS: version 1 is not the one";
    assert!(server.logs().contains(wrong), "{}", server.logs());
    // What is refused changes nothing else, be it right.
    let token = random_secret().replace('/', "-");
    files.write("INGEST_ADMIN_TOKEN", &token);
    logged(&server, REFUSED, 3).await;
    assert_eq!(status_with(&server, &token).await, StatusCode::UNAUTHORIZED);
    files.write("INGEST_ADMIN_TOKEN", &files.first("INGEST_ADMIN_TOKEN"));
    files.write("PORTCULLIS_KEKS", &both);
    logged(
        &server,
        "the secrets in use are those that there are again",
        1,
    )
    .await;
    wait_for_up(&server).await;
    assert!(traffic.end().await > 0);
    let logs = server.logs();
    for secret in [&first[2..], &second, &other, &token] {
        assert!(!logs.contains(secret), "{logs}");
    }

    // A process that starts now reads both, and so does one without the new files' permission to write.
    assert!(server.terminate().success());
    let mut server = files.start();
    for (key, id) in [(&acme, &before), (&globex, &after)] {
        let answer = server.read_lead(key, id).await;
        assert_eq!(answer.status(), StatusCode::OK);
    }
    server.use_token(&files.first("INGEST_ADMIN_TOKEN"));
    assert_eq!(secrets_component(&server).await["state"], "up");
}

async fn found(server: &Server, key: &Key, email: &str) -> usize {
    let request = server.request(Method::GET, &format!("/v1/leads?email={email}"), key);
    let answer = request.header("x-access-reason", "test").send().await;
    let answer: Value = answer.unwrap().json().await.unwrap();
    answer["leads"].as_array().unwrap().len()
}

#[tokio::test]
async fn index_roots_and_peppers_are_replaced_and_wrong_ones_are_refused() {
    let files = Files::new();
    let server = files.start();
    let old = server.issue("acme", &ALL_SCOPES).await;
    let lead = json!({ "email": "ada@example.com" });
    let id = server.lead(&old, &lead).await;
    let traffic = Traffic::start(&server, &old);

    let root = files.first("PORTCULLIS_INDEX_ROOTS");
    let (second_root, second_pepper) = (random_secret(), random_secret());
    files.write("PORTCULLIS_INDEX_ROOTS", &format!("1:{}", random_secret()));
    logged(&server, REFUSED, 1).await;
    let wrong = "PORTCULLIS_INDEX_ROOTS: version 1 is not the one";
    assert!(server.logs().contains(wrong), "{}", server.logs());
    assert_eq!(found(&server, &old, "ada@example.com").await, 1);
    files.write("PORTCULLIS_INDEX_ROOTS", &format!("{root},2:{second_root}"));
    logged(&server, TAKEN, 1).await;
    assert_eq!(found(&server, &old, "ada@example.com").await, 1);
    assert_eq!(
        server.lead(&old, &lead).await,
        id,
        "the same e-mail is the same lead"
    );

    let pepper = files.first("PORTCULLIS_KEY_PEPPERS");
    files.write(
        "PORTCULLIS_KEY_PEPPERS",
        &format!("{pepper},2:{second_pepper}"),
    );
    logged(&server, TAKEN, 2).await;
    files.write("PORTCULLIS_KEY_PEPPERS_PRIMARY", "2");
    logged(&server, TAKEN, 3).await;
    let new = server.issue("acme", &ALL_SCOPES).await;
    for key in [&old, &new] {
        let answer = server.post("/v1/events", key, &page_view(&key.kid)).send();
        assert_eq!(answer.await.unwrap().status(), StatusCode::ACCEPTED);
    }
    files.write("PORTCULLIS_KEY_PEPPERS", &format!("2:{second_pepper}"));
    logged(&server, REFUSED, 2).await;
    let needed = "PORTCULLIS_KID_TAG_KEYS: version 1 is missing, and 1 key was issued under it";
    assert!(server.logs().contains(needed), "{}", server.logs());
    assert!(traffic.end().await > 0);
}

#[tokio::test]
async fn a_file_that_others_can_read_by_now_is_refused_as_at_a_start() {
    let files = Files::new();
    let server = files.start();
    let path = files.path("PORTCULLIS_KEKS");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    logged(&server, REFUSED, 1).await;
    wait_for_counted(&server, "refused").await;
    assert_eq!(secrets_component(&server).await["state"], "degraded");
    let start = run_to_end(&mut files.command());
    assert_eq!(start.status.code(), Some(2), "{start:?}");
    let said = String::from_utf8(start.stderr).unwrap();
    let told = said.lines().find_map(|line| line.strip_prefix("  "));
    let told = told.unwrap();
    assert!(told.contains("PORTCULLIS_KEKS_FILE: "), "{said}");
    assert!(server.logs().contains(told), "{told}: {}", server.logs());
    // What is in use stays, and what others could read is not taken over even if it is another.
    let key = server.issue("acme", &ALL_SCOPES).await;
    server
        .lead(&key, &json!({ "email": "ada@example.com" }))
        .await;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let well = "the secrets in use are those that there are again";
    logged(&server, well, 1).await;
    assert_eq!(counted(&server, "replaced").await, 0.0);
}

#[tokio::test]
async fn a_file_that_is_gone_for_a_while_is_told_once_and_costs_nothing() {
    let files = Files::new();
    let server = files.start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let traffic = Traffic::start(&server, &key);
    let before = server.metrics().await;
    fs::remove_file(files.path("PORTCULLIS_KEKS")).unwrap();
    wait_for("the third look in vain", async || {
        (counted(&server, "refused").await >= 3.0).then_some(())
    })
    .await;
    logged(&server, REFUSED, 1).await;
    let aged = server.metrics().await;
    assert!(aged["ingest_secrets_age_seconds"] > 1.0);
    assert_moved(
        &before,
        &aged,
        [
            "ingest_secret_refreshes_total",
            "ingest_secrets_age_seconds",
        ],
    );
    assert_eq!(secrets_component(&server).await["state"], "degraded");
    files.write("PORTCULLIS_KEKS", &files.first("PORTCULLIS_KEKS"));
    wait_for_up(&server).await;
    assert_eq!(counted(&server, "replaced").await, 0.0);
    // Each look that finds them to be well makes them new.
    wait_for("secrets of the last look", async || {
        (server.metrics().await["ingest_secrets_age_seconds"] < 1.0).then_some(())
    })
    .await;
    assert!(traffic.end().await > 0);
}

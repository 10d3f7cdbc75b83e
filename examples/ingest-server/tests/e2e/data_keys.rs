//! Data keys from first to last, by the command line and under `/admin`, while two servers on one file answer.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, KEK, Key, OTHER_SECRET, Server, run_to_end, wait_for};

/// What a command prints that was asked for JSON, one value a line.
fn printed(data: &Data, arguments: &[&str]) -> Vec<Value> {
    let output = data.run(arguments);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {error}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// What a command that is refused says.
fn refused(data: &Data, arguments: &[&str]) -> String {
    let output = data.run(arguments);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn keys(data: &Data, state: &str) -> Vec<Value> {
    printed(data, &["keys", "list", "--state", state, "--json"])
}

/// Leads with e-mail, phone and name, and the ids they got.
async fn add_leads(server: &Server, key: &Key, numbers: std::ops::Range<u32>) -> Vec<String> {
    let mut ids = Vec::new();
    for number in numbers {
        let email = format!("person{number}@example.com");
        let lead = json!({ "email": email, "name": format!("Person {number}") });
        ids.push(server.lead(key, &lead).await);
    }
    ids
}

/// All are whole, and found by their e-mail.
async fn check_leads(servers: [&Server; 2], key: &Key, ids: &[String]) {
    for (number, id) in ids.iter().enumerate() {
        for server in servers {
            let lead: Value = server.read_lead(key, id).await.json().await.unwrap();
            assert_eq!(
                lead["email"],
                format!("person{number}@example.com"),
                "{lead}"
            );
            let path = format!("/v1/leads?email=person{number}@example.com");
            let found = server
                .request(Method::GET, &path, key)
                // In the clear: masked searches have a limit of their own.
                .header("x-access-reason", "test")
                .send()
                .await
                .unwrap();
            let found: Value = found.json().await.unwrap();
            assert_eq!(found["leads"][0]["id"], *id, "{found}");
        }
    }
}

/// Its demotion was a minute ago, and what it waits for is over: states are by the clock, which a test does not
/// wait for.
async fn age(data: &Data, by_days: u32) {
    let milliseconds = i64::from(by_days) * 86_400_000;
    let mut database = data.connect().await;
    let older =
        "UPDATE keyring_data_key SET state_since = state_since - ?, created_at = created_at - ?";
    let older = sqlx::query(older).bind(milliseconds).bind(milliseconds);
    older.execute(&mut database).await.unwrap();
}

#[tokio::test]
async fn a_data_key_goes_from_first_to_last_while_servers_answer() {
    let data = Data::new();
    let servers = [Server::start_on(&data), Server::start_on(&data)];
    let [first, second] = &servers;
    let key = first.issue("acme", &ALL_SCOPES).await;
    let mut ids = add_leads(first, &key, 0..20).await;
    let emails = |listed: &[Value]| -> Vec<String> {
        let emails = listed.iter().filter(|key| key["purpose"] == "email");
        emails
            .map(|key| key["key"].as_str().unwrap().to_owned())
            .collect()
    };
    let before = emails(&keys(&data, "primary"));
    let [old] = before.as_slice() else {
        panic!("{before:?}")
    };

    // Rotated, while both write and read.
    let rotate = [
        "keys",
        "rotate",
        "--tenant",
        "acme",
        "--purpose",
        "email",
        "--json",
    ];
    let rotation = tokio::task::spawn_blocking({
        let data = data.clone();
        move || printed(&data, &rotate)
    });
    ids.extend(add_leads(second, &key, 20..30).await);
    check_leads([first, second], &key, &ids).await;
    let rotated = rotation.await.unwrap();
    assert_eq!(rotated[0]["rotated"][0]["former"], *old);
    let new = rotated[0]["rotated"][0]["key"].as_str().unwrap();
    assert_eq!(emails(&keys(&data, "primary")), [new]);
    let decrypting = keys(&data, "decrypt-only");
    assert_eq!(decrypting[0]["key"], *old);
    assert!(
        decrypting[0]["rows"].as_u64().unwrap() >= 20,
        "{decrypting:?}"
    );

    // It cannot go yet: too soon, and rows need it.
    let message = refused(&data, &["keys", "destroy", old]);
    assert!(
        message.contains("it is too soon: try again in"),
        "{message}"
    );
    age(&data, 1).await;
    let message = refused(&data, &["keys", "disable", old]);
    assert!(message.contains("rows still need the key"), "{message}");

    // What it sealed is sealed again, and both servers open it.
    let sealed = printed(&data, &["keys", "reencrypt", "--json"]);
    assert!(sealed[0]["rewritten"].as_u64().unwrap() >= 20, "{sealed:?}");
    assert_eq!(
        (&sealed[0]["failed"], &sealed[0]["left"]),
        (&json!(0), &json!(0))
    );
    check_leads([first, second], &key, &ids).await;
    let verified = printed(&data, &["keys", "verify", "--json"]);
    assert_eq!(verified[0]["failed"], 0);
    let counted = verified[0]["keys"].as_array().unwrap();
    assert!(
        counted.iter().all(|count| count["key"] != *old),
        "{verified:?}"
    );
    assert_eq!(keys(&data, "decrypt-only")[0]["rows"], 0);

    // Disabled and waiting in one step, taken back, and away again; destroyed only after its time.
    let waiting = printed(&data, &["keys", "destroy", old, "--json"]);
    assert_eq!(waiting[0]["state"], "destroy-scheduled");
    assert!(waiting[0]["ready_in_seconds"].as_u64().unwrap() > 6 * 86_400);
    let restored = printed(&data, &["keys", "restore", old, "--json"]);
    assert_eq!(restored[0]["state"], "decrypt-only");
    age(&data, 1).await;
    printed(&data, &["keys", "destroy", old, "--json"]);
    let message = refused(&data, &["keys", "destroy", old]);
    assert!(
        message.contains("it is too soon: try again in"),
        "{message}"
    );
    age(&data, 8).await;
    let destroyed = printed(&data, &["keys", "destroy", old, "--json"]);
    assert_eq!(destroyed[0]["state"], "destroyed");
    check_leads([first, second], &key, &ids).await;
    // Keys that are in use do not end.
    let message = refused(&data, &["keys", "destroy", new]);
    assert!(message.contains("primary"), "{message}");
    let message = refused(&data, &["keys", "destroy", "nonsense"]);
    assert!(message.contains("eight hexadecimal digits"), "{message}");
    assert!(
        servers
            .into_iter()
            .all(|server| server.terminate().success())
    );
}

#[tokio::test]
async fn a_version_of_the_kek_is_replaced_and_dropped() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let ids = add_leads(&server, &key, 0..3).await;
    assert!(server.terminate().success());
    let second = OTHER_SECRET.replacen("1:", "2:", 1);
    let both = format!("{KEK},{second}");
    let with_both = || {
        let mut command = data.command();
        command
            .env("PORTCULLIS_KEKS", &both)
            .env("PORTCULLIS_KEKS_PRIMARY", "2");
        command
    };
    let servers = [(); 2].map(|()| Server::start_command(&data, with_both()));
    let output = run_to_end(with_both().args(["keys", "rewrap", "--json"]));
    assert!(output.status.success());
    let rewrapped: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(rewrapped["rewrapped"], rewrapped["keys"]);
    assert!(rewrapped["keys"].as_u64().unwrap() >= 2, "{rewrapped}");
    assert_eq!(rewrapped["kek_versions"], json!({ "2": rewrapped["keys"] }));
    // Again: nothing is left to do.
    let again = servers[0]
        .admin(Method::POST, "/admin/keys/rewrap")
        .send()
        .await
        .unwrap();
    let again: Value = again.json().await.unwrap();
    assert_eq!(again["rewrapped"], 0, "{again}");
    check_leads([&servers[0], &servers[1]], &key, &ids).await;
    assert!(
        servers
            .into_iter()
            .all(|server| server.terminate().success())
    );

    let mut command = data.command();
    command.env("PORTCULLIS_KEKS", &second);
    let server = Server::start_command(&data, command);
    check_leads([&server, &server], &key, &ids).await;
    assert!(server.terminate().success());
}

#[tokio::test]
async fn keys_are_rotated_and_rows_sealed_again_under_admin() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let ids = add_leads(&server, &key, 0..5).await;
    let admin = async |method, path: &str, body: Option<Value>| -> (StatusCode, Value) {
        let request = server.admin(method, path);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let answer = request.send().await.unwrap();
        let status = answer.status();
        (status, answer.json().await.unwrap_or_default())
    };
    let body = json!({ "tenant": "acme", "purpose": "email" });
    let (status, rotated) = admin(Method::POST, "/admin/keys/rotate", Some(body)).await;
    assert_eq!(status, StatusCode::OK, "{rotated}");
    let old = rotated["rotated"][0]["former"].as_str().unwrap();
    let path = format!("/admin/keys/{old}/disable");
    let (status, problem) = admin(Method::POST, &path, None).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");
    age(&data, 1).await;

    let (status, idle) = admin(Method::GET, "/admin/reencryption", None).await;
    assert_eq!((status, &idle["state"]), (StatusCode::OK, &json!("idle")));
    let (status, _) = admin(Method::POST, "/admin/reencryption", None).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let done = wait_for("the keys", async || {
        let (_, status) = admin(Method::GET, "/admin/reencryption", None).await;
        (status["state"] != "running").then_some(status)
    });
    let done = done.await;
    assert_eq!(done["state"], "done", "{done}");
    assert_eq!(done["report"]["rewritten"], 5, "{done}");
    let (status, verified) = admin(Method::POST, "/admin/keys/verify", None).await;
    assert_eq!((status, &verified["failed"]), (StatusCode::OK, &json!(0)));
    for (step, state) in [
        ("disable", "disabled"),
        ("destroy", "destroy-scheduled"),
        ("restore", "decrypt-only"),
    ] {
        let path = format!("/admin/keys/{old}/{step}");
        let (status, key) = admin(Method::POST, &path, None).await;
        assert_eq!(
            (status, &key["state"]),
            (StatusCode::OK, &json!(state)),
            "{key}"
        );
    }
    let (status, listed) = admin(
        Method::GET,
        "/admin/keys?tenant=acme&state=decrypt-only",
        None,
    )
    .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(listed["keys"][0]["key"], old);
    check_leads([&server, &server], &key, &ids).await;
    // Each is on record, once as begun and once as ended.
    let (_, audit) = admin(
        Method::GET,
        "/admin/audit/events?action=data_key.disable",
        None,
    )
    .await;
    let outcomes: Vec<_> = audit["events"].as_array().unwrap().iter().collect();
    let outcomes: Vec<_> = outcomes.iter().map(|event| &event["outcome"]).collect();
    assert_eq!(
        outcomes,
        ["success", "unknown", "failure", "unknown"],
        "{audit}"
    );
}

#[tokio::test]
async fn keys_that_are_too_old_are_rotated_by_themselves_and_once() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let ids = add_leads(&server, &key, 0..2).await;
    let old = keys(&data, "primary").len();
    age(&data, 91).await;
    let overdue = async |server: &Server| server.metrics().await["keyring_overdue_keys"];
    assert!(server.terminate().success());

    let start = || {
        let mut command = data.command();
        command.env("INGEST_DATA_KEY_CRYPTOPERIOD", "90");
        Server::start_command(&data, command)
    };
    let servers = [start(), start()];
    wait_for("the keys", async || {
        (overdue(&servers[0]).await > 0.0 || keys(&data, "decrypt-only").len() == old).then_some(())
    })
    .await;
    wait_for("the keys", async || {
        (keys(&data, "decrypt-only").len() >= old).then_some(())
    })
    .await;
    check_leads([&servers[0], &servers[1]], &key, &ids).await;
    // Reading is on record, for which the tenant has another key by then.
    assert_eq!(keys(&data, "primary").len(), old + 1);
    assert_eq!(keys(&data, "decrypt-only").len(), old);
    assert_eq!(keys(&data, "pending").len(), 0);
}

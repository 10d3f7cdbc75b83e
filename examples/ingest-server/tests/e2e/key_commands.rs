//! What operators are told by the commands on data keys, and under `/admin`: of names that nobody has, of steps that
//! are done already, of rows that nothing can be done for, and of keys that are damaged.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, Key, Server, wait_for};

/// Exit code, standard output and standard error.
fn run(data: &Data, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = data.run(arguments);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// What a command prints that was asked for JSON, and its exit code.
fn json_of(data: &Data, arguments: &[&str]) -> (Option<i32>, Vec<Value>) {
    let (code, said, _) = run(data, arguments);
    let lines = said.lines().map(|line| serde_json::from_str(line).unwrap());
    (code, lines.collect())
}

async fn ask(
    server: &Server,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> (StatusCode, Value) {
    let request = server.admin(method, path);
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    let answer = request.send().await.unwrap();
    let status = answer.status();
    (status, answer.json().await.unwrap_or_default())
}

async fn execute(data: &Data, statement: &str, bound: &str) {
    let mut database = data.connect().await;
    let statement = sqlx::AssertSqlSafe(statement.to_owned());
    let done = sqlx::query(statement).bind(bound).execute(&mut database);
    assert!(done.await.unwrap().rows_affected() > 0);
}

/// Demotions were a day ago: states are by the clock, which a test does not wait for.
async fn age(data: &Data) {
    let older = "UPDATE keyring_data_key SET state_since = state_since - 86400000,
         created_at = created_at - 86400000 WHERE ? = ''";
    execute(data, older, "").await;
}

async fn add_leads(server: &Server, key: &Key, count: u32) {
    for number in 0..count {
        let lead = json!({ "email": format!("person{number}@example.com") });
        server.lead(key, &lead).await;
    }
}

/// Rotates the key for e-mails of a tenant, and gives the one before.
fn rotate_email(data: &Data, tenant: &str) -> String {
    let rotate = [
        "keys",
        "rotate",
        "--tenant",
        tenant,
        "--purpose",
        "email",
        "--json",
    ];
    let (code, rotated) = json_of(data, &rotate);
    assert_eq!(code, Some(0), "{rotated:?}");
    let former = rotated[0]["rotated"][0]["former"].as_str();
    former.unwrap().to_owned()
}

/// A database with ten leads, and the former key of all of their e-mails.
async fn rotated() -> (Data, Server, String) {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    add_leads(&server, &key, 10).await;
    let former = rotate_email(&data, "acme");
    age(&data).await;
    (data, server, former)
}

#[tokio::test]
async fn who_and_what_is_unknown_is_said_by_every_command_in_the_same_way() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    add_leads(&server, &key, 1).await;
    for command in ["list", "rotate", "reencrypt"] {
        let (code, said, told) = run(&data, &["keys", command, "--tenant", "acne"]);
        assert_eq!((code, &*said), (Some(1), ""), "{command}: {told}");
        assert!(
            told.contains("there is no data key of tenant `acne`"),
            "{command}: {told}"
        );
        let (code, said, told) = run(&data, &["keys", command, "--purpose", "shoes"]);
        assert_eq!((code, &*said), (Some(2), ""), "{command}: {told}");
        let known =
            "`purpose`: shoes is unknown; known are email, phone, national-id, name, address, text";
        assert!(told.contains(known), "{command}: {told}");
        // What could be somebody's is not repeated.
        let (_, _, told) = run(&data, &["keys", command, "--tenant", "canary@example.com"]);
        assert!(
            told.contains("no data key of that tenant") && !told.contains("canary"),
            "{command}: {told}"
        );
    }
    for (method, path) in [
        (Method::GET, "/admin/keys?tenant=acne"),
        (Method::POST, "/admin/keys/rotate"),
        (Method::POST, "/admin/reencryption"),
    ] {
        let body = (method == Method::POST).then(|| json!({ "tenant": "acne" }));
        let (status, problem) = ask(&server, method.clone(), path, body).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}: {problem}");
        assert!(
            problem["detail"].as_str().unwrap().contains("`acne`"),
            "{problem}"
        );
        let path = path.replace("tenant=acne", "purpose=shoes");
        let body = (method == Method::POST).then(|| json!({ "purpose": "shoes" }));
        let (status, problem) = ask(&server, method, &path, body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}: {problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.contains("`purpose`: shoes is unknown; known are email"),
            "{problem}"
        );
    }
    // Somebody who is there, and has nothing of that kind: that is no mistake.
    let phones = ["--tenant", "acme", "--purpose", "phone"];
    let (code, ..) = run(&data, &[&["keys", "list"], &phones[..]].concat());
    assert_eq!(code, Some(0));
    let (code, _, told) = run(&data, &[&["keys", "rotate"], &phones[..]].concat());
    assert_eq!(code, Some(1));
    assert!(told.contains("there is nothing to rotate"), "{told}");
    // Fields are named, and what is wanted.
    for (arguments, wanted) in [
        (
            ["keys", "list", "--state", "gone"],
            "`state`: gone is unknown; known are pending, primary",
        ),
        (
            ["keys", "disable", "--json", "12"],
            "`key`: the id of a data key has eight hexadecimal digits",
        ),
    ] {
        let (code, _, told) = run(&data, &arguments);
        assert_eq!(code, Some(2), "{told}");
        assert!(told.contains(wanted), "{told}");
    }
    for (path, wanted) in [
        (
            "/admin/keys?after=12",
            "`after`: the id of a data key has eight",
        ),
        ("/admin/api-keys?after=12", "`after`: "),
    ] {
        let (status, problem) = ask(&server, Method::GET, path, None).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(
            problem["detail"].as_str().unwrap().contains(wanted),
            "{problem}"
        );
    }
    let patch = server.request(
        Method::PATCH,
        "/v1/leads/0198c0de-0000-7000-8000-000000000001",
        &key,
    );
    let patch = patch.json(&json!([])).send().await.unwrap();
    let problem: Value = patch.json().await.unwrap();
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("the fields of one lead, such as `email`"),
        "{problem}"
    );
}

#[tokio::test]
async fn a_step_that_is_done_already_is_no_failure() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    add_leads(&server, &key, 2).await;
    let former = rotate_email(&data, "acme");
    age(&data).await;
    let (code, sealed) = json_of(&data, &["keys", "reencrypt", "--json"]);
    assert_eq!(code, Some(0), "{sealed:?}");
    let step = async |command: &str, path: &str, state: &str| {
        let first = json_of(&data, &["keys", command, &former, "--json"]);
        assert_eq!((first.0, &first.1[0]["state"]), (Some(0), &json!(state)));
        assert_eq!(first.1[0].get("unchanged"), None, "{command}: {first:?}");
        let second = json_of(&data, &["keys", command, &former, "--json"]);
        assert_eq!((second.0, &second.1[0]["state"]), (Some(0), &json!(state)));
        assert_eq!(second.1[0]["unchanged"], true, "{command}: {second:?}");
        let (code, said, _) = run(&data, &["keys", command, &former]);
        assert_eq!(code, Some(0));
        assert!(said.contains("already: nothing was done"), "{said}");
        let path = format!("/admin/keys/{former}/{path}");
        let (status, again) = ask(&server, Method::POST, &path, None).await;
        assert_eq!(
            (status, &again["unchanged"]),
            (StatusCode::OK, &json!(true)),
            "{again}"
        );
    };
    step("disable", "disable", "disabled").await;
    step("restore", "restore", "decrypt-only").await;
    age(&data).await;
    let (code, _) = json_of(&data, &["keys", "destroy", &former, "--json"]);
    assert_eq!(code, Some(0));
    let (code, _, told) = run(&data, &["keys", "destroy", &former]);
    assert_eq!(code, Some(1));
    // As people say it.
    assert!(told.contains("it is too soon: try again in 7 d"), "{told}");
    for _ in 0..8 {
        age(&data).await;
    }
    step("destroy", "destroy", "destroyed").await;
    let (code, _, told) = run(&data, &["keys", "restore", &former]);
    assert_eq!(code, Some(1), "{told}");
}

#[tokio::test]
async fn rows_that_need_a_refused_key_are_told_with_what_brings_it_back() {
    let (data, server, former) = rotated().await;
    for state in ["disabled", "destroy-scheduled"] {
        // As by a person with another tool, or a process that stored what it had sealed very late.
        let refused =
            format!("UPDATE keyring_data_key SET state = '{state}' WHERE key_id = unhex_id(?)");
        let refused = refused.replace(
            "unhex_id(?)",
            &u32::from_str_radix(&former, 16).unwrap().to_string(),
        );
        execute(&data, &format!("{refused} AND ? = ''"), "").await;
        let (code, said, told) = run(&data, &["keys", "reencrypt"]);
        assert_eq!(code, Some(1), "{said}{told}");
        let restore = format!("`keys restore {former}` takes it back");
        assert!(said.contains(&restore) && said.contains(" 10 "), "{said}");
        assert!(
            told.contains("take each back with `keys restore KEY`"),
            "{told}"
        );
        let (code, sealed) = json_of(&data, &["keys", "reencrypt", "--json"]);
        assert_eq!(
            (code, &sealed[0]["left"]),
            (Some(1), &json!(0)),
            "{sealed:?}"
        );
        let passed_over = json!([{
            "key": former, "tenant": "acme", "purpose": "email", "state": state, "rows": 10
        }]);
        assert_eq!(sealed[0]["passed_over"], passed_over, "{sealed:?}");
        // Of another purpose it is none.
        let (code, sealed) = json_of(&data, &["keys", "reencrypt", "--purpose", "name", "--json"]);
        assert_eq!(code, Some(0), "{sealed:?}");
    }
    age(&data).await;
    let (_, _, told) = run(&data, &["keys", "destroy", &former]);
    let wanted =
        format!("10 rows still need the key, which is destroy-scheduled: `keys restore {former}`");
    assert!(
        told.contains(&wanted) || told.contains("too soon"),
        "{told}"
    );
    for _ in 0..8 {
        age(&data).await;
    }
    let (_, _, told) = run(&data, &["keys", "destroy", &former]);
    assert!(told.contains(&wanted), "{told}");

    // So it goes on.
    let (code, ..) = run(&data, &["keys", "restore", &former]);
    assert_eq!(code, Some(0));
    age(&data).await;
    let started = ask(&server, Method::POST, "/admin/reencryption", None).await;
    assert_eq!(started.0, StatusCode::ACCEPTED, "{}", started.1);
    let done = wait_for("the rows", async || {
        let (_, status) = ask(&server, Method::GET, "/admin/reencryption", None).await;
        (status["state"] != "running").then_some(status)
    });
    let done = done.await;
    assert_eq!(done["report"]["rewritten"], 10, "{done}");
    let (code, ..) = run(&data, &["keys", "reencrypt"]);
    assert_eq!(code, Some(0));
}

#[tokio::test]
async fn a_damaged_key_is_listed_counted_and_not_passed_over_in_silence() {
    let (data, server, former) = rotated().await;
    let id = u32::from_str_radix(&former, 16).unwrap();
    // A time that nobody can have written.
    let damage =
        format!("UPDATE keyring_data_key SET created_at = -1 WHERE key_id = {id} AND ? = ''");
    execute(&data, &damage, "").await;
    let (code, said, told) = run(&data, &["keys", "list", "--state", "decrypt-only"]);
    assert_eq!(code, Some(0), "{told}");
    let line = said.lines().find(|line| line.starts_with(&former));
    let line = line.unwrap_or_else(|| panic!("{said}"));
    for word in ["damaged", " 10 ", "email", "acme"] {
        assert!(line.contains(word), "{line}");
    }
    assert!(told.contains("1 data keys cannot be read"), "{told}");
    let (_, listed) = json_of(&data, &["keys", "list", "--json"]);
    let of_key = |key: &&Value| key["key"] == *former;
    let listed = listed.iter().find(of_key).unwrap();
    assert_eq!(
        (&listed["state"], &listed["rows"]),
        (&json!("damaged"), &json!(10))
    );
    let (_, page) = ask(&server, Method::GET, "/admin/keys?tenant=acme", None).await;
    assert_eq!(page["damaged"], json!([former]), "{page}");
    assert_eq!(page["damaged_keys"][0]["rows"], 10, "{page}");

    let (code, _, told) = run(&data, &["keys", "disable", &former]);
    assert_eq!(code, Some(1));
    assert!(
        told.contains(&format!("the row of data key {former} is damaged")),
        "{told}"
    );
    let path = format!("/admin/keys/{former}/disable");
    let (status, problem) = ask(&server, Method::POST, &path, None).await;
    assert_eq!(status, StatusCode::CONFLICT, "{problem}");

    let (code, said, told) = run(&data, &["keys", "reencrypt"]);
    assert_eq!(code, Some(1), "{said}{told}");
    let advice = format!("{former}: restore its row of keyring_data_key from a backup");
    assert!(said.contains(&advice), "{said}");
    let (_, sealed) = json_of(&data, &["keys", "reencrypt", "--json"]);
    assert_eq!(
        sealed[0]["passed_over"][0]["state"], "damaged",
        "{sealed:?}"
    );

    // One line for the key, and a few of its rows.
    let (code, said, _) = run(&data, &["keys", "verify"]);
    assert_eq!(code, Some(1), "{said}");
    let wanted = format!("failed: 10 rows that need key {former} (email of acme, damaged): ");
    assert_eq!(said.matches("failed: ").count(), 1, "{said}");
    assert!(said.contains(&wanted), "{said}");
    assert_eq!(said.matches("  such as lead ").count(), 3, "{said}");
    let (_, verified) = json_of(&data, &["keys", "verify", "--json"]);
    let unusable = &verified[0]["unusable_keys"][0];
    assert_eq!(
        (&unusable["key"], &unusable["rows"]),
        (&json!(former), &json!(10))
    );

    assert!(server.terminate().success());
    let server = Server::start_on(&data);
    wait_for("the count of keys", async || {
        let metrics = server.metrics().await;
        let rows = metrics.get("keyring_rows{state=\"damaged\"}");
        (metrics["keyring_damaged_keys"] == 1.0 && rows == Some(&10.0)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_rotation_of_keys_is_gone_on_with_and_what_it_has_promoted_is_left_alone() {
    let data = Data::new();
    let server = Server::start_on(&data);
    for tenant in ["first", "second"] {
        let key = server.issue(tenant, &ALL_SCOPES).await;
        add_leads(&server, &key, 1).await;
    }
    // It is killed while it waits, with new keys of the first tenant that are pending.
    let mut killed = data.command();
    killed.args(["keys", "rotate", "--tenant", "first"]);
    let mut killed = killed.spawn().unwrap();
    wait_for("a new key", async || {
        let (_, keys) = json_of(&data, &["keys", "list", "--state", "pending", "--json"]);
        (!keys.is_empty()).then_some(())
    })
    .await;
    killed.kill().unwrap();
    killed.wait().unwrap();
    // What it would have promoted next.
    rotate_email(&data, "second");
    let (code, rotated) = json_of(&data, &["keys", "rotate", "--json"]);
    assert_eq!(code, Some(0), "{rotated:?}");
    let rotated = &rotated[0];
    assert!(rotated["resumed_from"].is_string(), "{rotated}");
    assert!(rotated["passed_over"].as_u64().unwrap() >= 1, "{rotated}");
    let tenants = rotated["rotated"].as_array().unwrap().iter();
    let of_second = tenants.filter(|key| key["tenant"] == "second" && key["purpose"] == "email");
    assert_eq!(of_second.count(), 0, "{rotated}");
    // It has ended: the next one means all that are old enough.
    let (code, young) = json_of(&data, &["keys", "rotate", "--older-than", "1h", "--json"]);
    assert_eq!(
        (code, &young[0]["rotated"]),
        (Some(0), &json!([])),
        "{young:?}"
    );
    assert_eq!(young[0].get("resumed_from"), None, "{young:?}");
}

#[tokio::test]
async fn of_two_rotations_of_keys_at_once_both_say_what_became_of_the_keys() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    add_leads(&server, &key, 1).await;
    let rotate = [
        "keys",
        "rotate",
        "--tenant",
        "acme",
        "--purpose",
        "email",
        "--json",
    ];
    let rotations = [(), ()].map(|()| {
        let data = data.clone();
        tokio::task::spawn_blocking(move || json_of(&data, &rotate))
    });
    let mut told = Vec::new();
    for rotation in rotations {
        let (code, rotated) = rotation.await.unwrap();
        assert_eq!(code, Some(0), "{rotated:?}");
        told.extend(rotated);
    }
    let keys = |name: &str| {
        let of = |told: &Value| told[name].as_array().cloned().unwrap_or_default();
        told.iter().flat_map(of).collect::<Vec<_>>()
    };
    let (rotated, by_others) = (keys("rotated"), keys("by_others"));
    assert_eq!((rotated.len(), by_others.len()), (1, 1), "{told:?}");
    assert_eq!(rotated, by_others);
}

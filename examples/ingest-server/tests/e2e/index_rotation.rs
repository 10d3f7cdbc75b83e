//! The root of the blind indexes is replaced while two servers answer, and people are erased by their operators.

use std::process::Command;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    harness::{ALL_SCOPES, Data, INDEX_ROOT, Key, OTHER_SECRET, Server, count, run_to_end},
    movement::assert_moved,
};

fn with_roots(data: &Data, roots: &str, primary: &str) -> Command {
    let mut command = data.command();
    command
        .env("PORTCULLIS_INDEX_ROOTS", roots)
        .env("PORTCULLIS_INDEX_ROOTS_PRIMARY", primary);
    command
}

/// What a command prints that was asked for JSON.
fn printed(command: &mut Command) -> Value {
    let output = run_to_end(command);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn find(server: &Server, key: &Key, email: &str) -> Value {
    let path = format!("/v1/leads?email={email}");
    let found = server
        .request(Method::GET, &path, key)
        // In the clear: masked searches have a limit of their own.
        .header("x-access-reason", "test")
        .send()
        .await
        .unwrap();
    assert_eq!(found.status(), StatusCode::OK);
    found.json::<Value>().await.unwrap()["leads"].take()
}

/// One lead for each address that was ever sent, found by both.
async fn check(servers: &[Server; 2], key: &Key, ids: &[String]) {
    for (number, id) in ids.iter().enumerate() {
        for server in servers {
            let found = find(server, key, &format!("person{number}@example.com")).await;
            assert_eq!(found.as_array().unwrap().len(), 1, "{number}: {found}");
            assert_eq!(found[0]["id"], *id);
        }
    }
}

#[tokio::test]
async fn an_index_root_is_replaced_and_dropped_while_servers_answer() {
    let data = Data::new();
    let second = OTHER_SECRET.replacen("1:", "2:", 1);
    let both = format!("{INDEX_ROOT},{second}");
    let start = || Server::start_command(&data, with_roots(&data, &both, "2"));
    let servers = [start(), start()];
    let key = servers[0].issue("acme", &ALL_SCOPES).await;
    let mut ids = Vec::new();
    let add = async |server: &Server, ids: &mut Vec<String>| {
        let lead = json!({ "email": format!("person{}@example.com", ids.len()) });
        ids.push(server.lead(&key, &lead).await);
    };
    for number in 0..10 {
        add(&servers[number % 2], &mut ids).await;
    }
    let status =
        printed(with_roots(&data, &both, "2").args(["index", "rotate", "--status", "--json"]));
    assert_eq!(status["configured"], json!([1, 2]));
    assert_eq!(status["live"].as_array().unwrap().len(), 1, "{status}");
    // The first start takes the primary one.
    assert_eq!(status["live"][0]["version"], 2);
    assert!(
        servers
            .into_iter()
            .all(|server| server.terminate().success())
    );

    // To another one, which the servers have to know before.
    let start = || Server::start_command(&data, with_roots(&data, &both, "1"));
    let servers = [start(), start()];
    let unknown =
        run_to_end(with_roots(&data, &both, "1").args(["index", "rotate", "--version", "3"]));
    assert_eq!(unknown.status.code(), Some(2));
    let mut rotate = with_roots(&data, &both, "1");
    rotate.args(["index", "rotate", "--json"]);
    let rotation = tokio::task::spawn_blocking(move || rotate.output().unwrap());
    let before = servers[0].metrics().await;
    let mut phases = Vec::new();
    while !rotation.is_finished() {
        add(&servers[ids.len() % 2], &mut ids).await;
        // Who comes again is not another lead, in whichever phase.
        let again = json!({ "email": "person0@example.com" });
        assert_eq!(servers[1].lead(&key, &again).await, ids[0]);
        check(&servers, &key, &ids).await;
        let metrics = servers[0].metrics().await;
        let live: Vec<String> = metrics
            .keys()
            .filter(|name| name.starts_with("pii_index_phase"))
            .cloned()
            .collect();
        if phases.last() != Some(&live) {
            phases.push(live);
        }
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    }
    let output = rotation.await.unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    let rotated: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&rotated["version"], &rotated["outcome"]),
        (&json!(1), &json!("done"))
    );
    assert!(phases.len() >= 3, "{phases:?}");
    let after = servers[0].metrics().await;
    assert_moved(&before, &after, ["pii_index_phase"]);
    let rows = "lead_index WHERE version = 2";
    assert_eq!(count(&data, rows).await, 0);
    assert_eq!(
        count(&data, "lead_index WHERE version = 1").await,
        i64::try_from(ids.len()).unwrap()
    );
    assert!(
        servers
            .into_iter()
            .all(|server| server.terminate().success())
    );
    // The one before can leave the environment.
    let start = || Server::start_command(&data, with_roots(&data, INDEX_ROOT, "1"));
    let servers = [start(), start()];
    check(&servers, &key, &ids).await;
}

#[tokio::test]
async fn operators_erase_a_lead_and_a_tenant() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let other = server.issue("acme", &ALL_SCOPES).await;
    let mut ids = Vec::new();
    for number in 0..4 {
        let lead = json!({ "email": format!("canary{number}@example.com") });
        ids.push(server.lead(&key, &lead).await);
    }
    // By the command line, beside the server.
    let erased = printed(
        data.command()
            .args(["erase", "--tenant", "acme", "--lead", &ids[0], "--json"]),
    );
    assert_eq!(erased["lead"], ids[0]);
    let gone = server.read_lead(&key, &ids[0]).await;
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
    let again = run_to_end(
        data.command()
            .args(["erase", "--tenant", "acme", "--lead", &ids[0]]),
    );
    assert!(!again.status.success());
    // All of a tenant is not erased by forgetting to say what.
    let unsaid = run_to_end(data.command().args(["erase", "--tenant", "acme"]));
    assert_eq!(unsaid.status.code(), Some(2));

    // Under `/admin`.
    let erase = async |body: Value| {
        let request = server.admin(Method::POST, "/admin/erasures").json(&body);
        request.send().await.unwrap()
    };
    let answer = erase(json!({ "tenant": "acme", "lead": ids[1] })).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let answer = erase(json!({ "tenant": "acme", "lead": ids[1] })).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    assert_eq!(count(&data, "lead").await, 2);
    // A name that was mistyped is nobody's, and nothing is noted of it.
    let noted = || std::fs::read_to_string(data.path().join("erasures.jsonl")).unwrap();
    let before = noted();
    let answer = erase(json!({ "tenant": "acne", "all": true })).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let unknown = run_to_end(data.command().args(["erase", "--tenant", "acne", "--all"]));
    assert_eq!(unknown.status.code(), Some(1));
    let message = String::from_utf8(unknown.stderr).unwrap();
    assert!(message.contains("nothing of that tenant"), "{message}");
    assert_eq!(noted(), before);
    for unsaid in [
        json!({ "tenant": "acme" }),
        json!({ "tenant": "acme", "lead": null }),
        json!({ "tenant": "acme", "all": false }),
        json!({ "tenant": "acme", "lead": null, "all": true }),
        json!({ "tenant": "acme", "lead": ids[2], "all": true }),
    ] {
        let answer = erase(unsaid.clone()).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{unsaid}");
    }
    assert_eq!(count(&data, "lead").await, 2);
    sqlx::query("CREATE TABLE kept AS SELECT * FROM apikey_cache_api_key")
        .execute(&mut data.connect().await)
        .await
        .unwrap();
    let answer = erase(json!({ "tenant": "acme", "all": true })).await;
    let erased: Value = answer.json().await.unwrap();
    assert_eq!(erased["rows"], 2, "{erased}");
    assert_eq!(count(&data, "lead").await, 0);
    assert_eq!(count(&data, "lead_index").await, 0);
    // What its callers have is refused for good, and they get nothing new.
    for tried in [&key, &other] {
        let lead = json!({ "email": "canary9@example.com" });
        let answer = server.post("/v1/leads", tried, &lead).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert!(!answer.headers().contains_key("retry-after"));
    }
    let body = json!({ "tenant": "acme", "tier": "standard", "scopes": ["events:write"] });
    let issue = server.admin(Method::POST, "/admin/api-keys").json(&body);
    let answer = issue.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let refused: Value = answer.json().await.unwrap();
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("erased"), "{refused}");
    for statement in [
        "DELETE FROM apikey_cache_api_key",
        "INSERT INTO apikey_cache_api_key SELECT * FROM kept",
        "DROP TABLE kept",
    ] {
        let mut database = data.connect().await;
        sqlx::query(statement).execute(&mut database).await.unwrap();
    }
    assert!(server.terminate().success());
    // Every start revokes them again, as after a backup was restored.
    let server = Server::start_on(&data);
    let lead = json!({ "email": "canary9@example.com" });
    let answer = server.post("/v1/leads", &key, &lead).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    let noted = noted();
    assert_eq!(noted.lines().count(), 3, "{noted}");
    assert!(!noted.contains("canary"), "{noted}");
}

/// Whose API key is good all the same, as while other processes learn that it is revoked.
#[tokio::test]
async fn what_comes_for_an_erased_tenant_is_refused_for_good() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    sqlx::query("INSERT INTO keyring_erased_tenant (tenant) VALUES ('acme')")
        .execute(&mut server.data().connect().await)
        .await
        .unwrap();
    let lead = json!({ "email": "canary@example.com" });
    let answer = server.post("/v1/leads", &key, &lead).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert!(!answer.headers().contains_key("retry-after"));
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["reason"], "auth.tenant_erased", "{problem}");
}

//! Two processes on one database: what one is told, the other goes by.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    harness::{ALL_SCOPES, Data, Server, page_view, run_to_end, wait_for},
    movement::assert_moved,
};

async fn get(server: &Server, path: &str) -> Value {
    let answer = server.admin(Method::GET, path).send().await.unwrap();
    answer.json().await.unwrap()
}

async fn put(server: &Server, path: &str, policy: &Value) {
    let answer = server.admin(Method::PUT, path).json(policy).send().await;
    assert_eq!(answer.unwrap().status(), StatusCode::NO_CONTENT);
}

async fn execute(data: &Data, statement: &str) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()))
        .execute(&mut data.connect().await)
        .await
        .unwrap();
}

async fn wait_until(server: &Server, path: &str, pointer: &str, expected: Value) {
    wait_for("what the other process was told", async || {
        (get(server, path).await.pointer(pointer) == Some(&expected)).then_some(())
    })
    .await;
}

const BURST: &str = "/policies/tier/free/category/ingest/tenant/burst";

fn limits(burst: u32) -> Value {
    json!({ "tier": { "free": { "category": { "ingest": {
        "tenant": { "per-hour": 60, "burst": burst } } } } } })
}

#[tokio::test]
async fn what_one_process_is_told_the_others_go_by() {
    let data = Data::new();
    let (one, other) = (Server::start_on(&data), Server::start_on(&data));
    put(&one, "/admin/limits", &limits(2)).await;
    wait_until(&other, "/admin/limits", BURST, json!(2)).await;
    let key = other.issue_tier("small", "free", &ALL_SCOPES).await;
    for (id, expected) in [(1, 202), (2, 202), (3, 429)] {
        let answer = other.post("/v1/events", &key, &page_view(id)).send().await;
        assert_eq!(answer.unwrap().status(), expected);
    }
    wait_until(
        &other,
        "/admin/limits",
        "/source",
        json!({ "from": "database" }),
    )
    .await;
    // The other way, and where both were told something, the last one holds for both.
    put(&other, "/admin/limits", &limits(3)).await;
    wait_until(&one, "/admin/limits", BURST, json!(3)).await;
    put(&one, "/admin/limits", &limits(4)).await;
    put(&other, "/admin/limits", &limits(5)).await;
    wait_until(&one, "/admin/limits", BURST, json!(5)).await;
    wait_until(&other, "/admin/limits", BURST, json!(5)).await;
    // It is on record once: by the operator.
    let path = "/admin/audit/events?action=limits.replace&outcome=success";
    let mut events = 0;
    for server in [&one, &other] {
        let page = get(server, path).await;
        events += page["events"].as_array().unwrap().len();
    }
    assert_eq!(events, 4);

    put(
        &one,
        "/admin/detection",
        &json!({ "default": { "email": "off" } }),
    )
    .await;
    wait_until(&other, "/admin/detection", "/default/email", json!("off")).await;
}

/// What stands in the database and cannot be used is no reason to lose the limits.
#[tokio::test]
async fn a_row_that_cannot_be_used_leaves_the_limits_in_force() {
    let data = Data::new();
    let server = Server::start_on(&data);
    put(&server, "/admin/limits", &limits(2)).await;
    let before = server.metrics().await;
    let row = "UPDATE limit_policies SET policies = '{\"tier\":{\"canary7q\":{}}}'";
    execute(&data, row).await;
    let unusable = async |server: &Server| {
        let series = r#"ingest_policy_unusable{policy="limits"}"#;
        server.metrics().await.get(series).copied()
    };
    wait_for("the refusal", async || {
        (unusable(&server).await == Some(1.0)).then_some(())
    })
    .await;
    assert_moved(&before, &server.metrics().await, ["ingest_policy_unusable"]);
    let told = wait_for("the problem", async || {
        let told = get(&server, "/admin/limits").await;
        told["source"]["problem"].is_string().then_some(told)
    })
    .await;
    assert_eq!(told.pointer(BURST), Some(&json!(2)));
    let problem = told["source"]["problem"].as_str().unwrap();
    assert!(
        problem.contains("there is a tier that is not known"),
        "{told}"
    );
    assert!(!server.logs().contains("canary7q"));
    // A start would end with it, and `check-config` says so.
    for command in ["check-config", "serve"] {
        let output = data.run(&[command]);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(
            told.contains("delete the row of `limit_policies`"),
            "{told}"
        );
        assert!(told.contains("there is a tier that is not known"), "{told}");
    }
    // Unless the limits stand in a file.
    let file = data.path().join("limits.toml");
    std::fs::write(&file, "[tier]\n").unwrap();
    let mut command = data.command();
    command.arg("check-config").env("INGEST_LIMITS_FILE", &file);
    let output = run_to_end(&mut command);
    assert!(output.status.success(), "{output:?}");

    execute(&data, "DELETE FROM limit_policies").await;
    wait_until(&server, "/admin/limits", BURST, json!(20)).await;
    // They are in force before it is told where they are from.
    wait_until(
        &server,
        "/admin/limits",
        "/source",
        json!({ "from": "defaults" }),
    )
    .await;
    wait_for("a policy that can be used", async || {
        (unusable(&server).await == Some(0.0)).then_some(())
    })
    .await;
    assert!(data.run(&["check-config"]).status.success());
    execute(
        &data,
        "INSERT INTO detection_policy VALUES (1, '{\"default\":[]}')",
    )
    .await;
    let output = data.run(&["check-config"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("delete the row of `detection_policy`"),
        "{told}"
    );
}

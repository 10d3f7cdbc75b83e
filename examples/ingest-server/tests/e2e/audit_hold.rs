//! A legal hold keeps what the audit log has from requests and commands that erase it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, Server, noted, on_record, run_to_end};

async fn post(server: &Server, path: &str, body: &Value) -> (StatusCode, Value) {
    let request = server.admin(Method::POST, path).json(body);
    let answer = request.send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

fn start(data: &Data, hold: &str) -> Server {
    let mut command = data.command();
    command.env("INGEST_AUDIT_HOLD", hold);
    Server::start_command(data, command)
}

async fn is_held(server: &Server) -> Value {
    let status = server.admin(Method::GET, "/admin/audit/status").send();
    status.await.unwrap().json::<Value>().await.unwrap()["held"].take()
}

#[tokio::test]
async fn under_a_hold_what_lies_beside_the_log_stays_and_who_asks_is_told_why() {
    let data = Data::new();
    let server = start(&data, "on");
    assert_eq!(is_held(&server).await, true);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = json!({ "email": "ada@lead.example" });
    let lead = server.lead(&key, &lead).await;
    assert!(server.read_lead(&key, &lead).await.status().is_success());
    let read = &on_record(&server, "&action=lead.read").await[0];
    let path = format!("/admin/audit/events/{}", read["n"]);

    let all_of_it = json!({ "tenant": "acme", "all": true });
    for (path, whose, is_refused) in [
        ("/admin/audit/erasures", json!({ "actor": key.kid }), true),
        ("/admin/audit/erasures", json!({ "tenant": "acme" }), true),
        ("/admin/erasures", all_of_it.clone(), true),
        // A lead is none of the log's, and its person has a right.
        (
            "/admin/erasures",
            json!({ "tenant": "acme", "lead": lead }),
            false,
        ),
    ] {
        let (status, told) = post(&server, path, &whose).await;
        if !is_refused {
            assert_eq!(status, StatusCode::OK, "{told}");
            continue;
        }
        assert_eq!(status, StatusCode::CONFLICT, "{whose}: {told}");
        assert_eq!(told["type"], "urn:portcullis:problem:audit_held");
        let detail = told["detail"].as_str().unwrap();
        assert!(detail.contains("INGEST_AUDIT_HOLD"), "{told}");
    }
    let one = server.admin(Method::GET, &path).send().await.unwrap();
    let one: Value = one.json().await.unwrap();
    assert_eq!(one["personal"]["ip"], "127.0.0.1", "{one}");
    for (action, times) in [("audit.erase", 2), ("tenant.erase", 1)] {
        let refused = noted(&server, &format!("&action={action}&outcome=denied"), 1).await;
        // The second of a kind stands with others after ten seconds, or at the end.
        assert!((1..=times).contains(&refused.len()), "{refused:?}");
        assert!(
            refused.iter().all(|event| event["detail"] == "held"),
            "{refused:?}"
        );
    }
    assert!(server.terminate().success());

    for arguments in [
        &["audit", "prune"][..],
        &["audit", "erase", "--actor", &key.kid],
        &["erase", "--tenant", "acme", "--all"],
    ] {
        let mut command = data.command();
        command.env("INGEST_AUDIT_HOLD", "on");
        let refused = run_to_end(command.args(arguments));
        assert!(!refused.status.success(), "{arguments:?}");
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(told.contains("INGEST_AUDIT_HOLD"), "{arguments:?}: {told}");
    }
    let own = data.run(&[
        "audit",
        "search",
        "--node",
        "command-line",
        "--outcome",
        "denied",
        "--json",
    ]);
    let own = String::from_utf8(own.stdout).unwrap();
    for action in ["audit.prune", "audit.erase", "tenant.erase"] {
        assert!(own.contains(action), "{action}: {own}");
    }

    let server = start(&data, "off");
    assert_eq!(is_held(&server).await, false);
    let (status, told) = post(
        &server,
        "/admin/audit/erasures",
        &json!({ "actor": key.kid }),
    )
    .await;
    assert_eq!(
        (status, told["erased"].as_u64() > Some(0)),
        (StatusCode::OK, true),
        "{told}"
    );
}

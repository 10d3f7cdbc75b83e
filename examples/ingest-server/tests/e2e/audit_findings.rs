//! What the rules have found is closed by who has looked at it, once, and the report counts it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, Server, on_record, wait_for};

async fn close(server: &Server, n: &Value, body: &Value) -> (StatusCode, Value) {
    let path = format!("/admin/audit/findings/{n}/close");
    let answer = server
        .admin(Method::POST, &path)
        .json(body)
        .send()
        .await
        .unwrap();
    (answer.status(), answer.json().await.unwrap())
}

async fn report(server: &Server) -> Value {
    let report = server.admin(Method::GET, "/admin/audit/report?from=2020-01-01");
    report.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_finding_is_closed_once_by_a_request_or_a_command_and_the_score_moves() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = server
        .lead(&key, &json!({ "email": "ada@lead.example" }))
        .await;
    for reason in ["automated", "break_glass"] {
        let read = server.request(Method::GET, &format!("/v1/leads/{lead}"), &key);
        let read = read.header("x-access-reason", reason).send().await.unwrap();
        assert_eq!(read.status(), StatusCode::OK, "{reason}");
    }
    let findings = wait_for("two findings", async || {
        let findings = on_record(&server, "&action=audit.suspicious").await;
        (findings.len() == 2).then_some(findings)
    })
    .await;
    let before = report(&server).await;
    assert_eq!(before["findings"]["open"], 2, "{before}");

    let (first, second) = (&findings[0], &findings[1]);
    for (n, body, status) in [
        (
            &first["n"],
            json!({ "code": "canary7Q" }),
            StatusCode::BAD_REQUEST,
        ),
        (&first["n"], json!({ "shoe": 1 }), StatusCode::BAD_REQUEST),
        (&json!(0), json!({}), StatusCode::NOT_FOUND),
        (&json!(1_000_000), json!({}), StatusCode::NOT_FOUND),
        (&first["n"], json!({ "code": "incident" }), StatusCode::OK),
        (&first["n"], json!({}), StatusCode::CONFLICT),
    ] {
        let (told, answer) = close(&server, n, &body).await;
        assert_eq!(told, status, "{n} {body}: {answer}");
        assert!(!answer.to_string().contains("canary7Q"), "{answer}");
        if status == StatusCode::OK {
            assert_eq!(answer, json!({ "n": n, "finding": first["id"] }));
        }
    }
    let closed = on_record(&server, "&action=audit.finding_closed&outcome=success").await;
    let [closed] = &*closed else {
        panic!("{closed:?}");
    };
    assert_eq!(closed["refs"], json!([first["id"]]), "{closed}");
    assert_eq!(closed["reason"]["code"], "incident");
    assert_eq!(
        (&closed["tenant"], &closed["delivery"]),
        (&json!("acme"), &json!("must"))
    );
    assert_eq!(closed["actor"]["id"], "admin-token");
    let after = report(&server).await;
    assert_eq!(after["findings"]["open"], 1, "{after}");
    let share = &after["findings"]["closed_in_time"];
    assert_eq!(
        (&share["pass"], &share["of"]),
        (&json!(1), &json!(1)),
        "{after}"
    );
    let score = |report: &Value| report["score"].as_f64().unwrap();
    assert!(score(&after) > score(&before), "{before} {after}");

    let n = second["n"].to_string();
    let running = data.run(&["audit", "close", &n]);
    let told = String::from_utf8_lossy(&running.stderr).into_owned();
    assert_eq!(running.status.code(), Some(2), "{told}");
    assert!(told.contains("/admin/audit/findings/{n}/close"), "{told}");
    assert!(server.terminate().success());
    for (arguments, is_closed) in [
        (&["audit", "close", "0"][..], false),
        (&["audit", "close", &n, "--reason", "canary7Q"], false),
        (&["audit", "close", &n, "--reason", "legal"], true),
        (&["audit", "close", &n], false),
    ] {
        let output = data.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.success(), is_closed, "{arguments:?}: {told}");
    }
    let server = Server::start_on(&data);
    assert_eq!(report(&server).await["findings"]["open"], 0);
    let closed = on_record(&server, "&action=audit.finding_closed&outcome=success").await;
    let by_command = closed.iter().find(|it| it["refs"] == json!([second["id"]]));
    assert_eq!(by_command.unwrap()["reason"]["code"], "legal");
}

//! Secrets and stored values that do not belong together.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::Row as _;

use crate::harness::{ALL_SCOPES, Data, OTHER_SECRET, Server, run_to_end};

#[tokio::test]
async fn a_wrong_secret_is_refused_before_the_server_listens() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    server.lead(&key, &json!({ "email": "a@b.example" })).await;
    assert!(server.terminate().success());

    for variable in [
        "PORTCULLIS_KEKS",
        "PORTCULLIS_INDEX_ROOTS",
        "PORTCULLIS_KEY_PEPPERS",
    ] {
        let output = run_to_end(data.command().env(variable, OTHER_SECRET));
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{variable}: {message}");
        assert!(output.stdout.is_empty(), "{variable}: it listened");
        assert!(
            message.contains(&format!("{variable}: version 1 is not the one")),
            "{variable}: {message}"
        );
        assert!(
            !message.contains(&OTHER_SECRET[2..]),
            "{variable}: a secret in the message"
        );

        let renumbered = OTHER_SECRET.replacen("1:", "2:", 1);
        let output = run_to_end(data.command().env(variable, renumbered));
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{variable}: {message}");
        // Of a pepper that is gone, the keys that need it are counted.
        let missing = match variable {
            "PORTCULLIS_KEY_PEPPERS" => "version 1 is missing, and 1 key is hashed under it",
            // Of a key-encryption key, the data keys: that of the field, and what seals beside the audit log.
            "PORTCULLIS_KEKS" => "version 1 is missing, and ",
            _ => "version 1 is in use and not configured",
        };
        assert!(message.contains(missing), "{variable}: {message}");

        let output = run_to_end(
            data.command()
                .env(variable, OTHER_SECRET)
                .args(["api-key", "list"]),
        );
        assert_eq!(output.status.code(), Some(2), "{variable}");
    }
    // A refused secret is not remembered.
    let server = Server::start_on(&data);
    server.lead(&key, &json!({ "email": "a@b.example" })).await;
}

#[tokio::test]
async fn swapped_ciphertexts_are_not_served_and_the_log_says_so_without_data() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let emails = ["first.canary@b.example", "second.canary@b.example"];
    let mut ids = Vec::new();
    for email in emails {
        ids.push(
            server
                .lead(&key, &json!({ "email": email, "name": "Canary" }))
                .await,
        );
    }
    let mut database = server.data().connect().await;
    let mut sealed = Vec::new();
    for id in &ids {
        let statement = "SELECT email_enc FROM lead WHERE id = ?";
        let row = sqlx::query(statement)
            .bind(id)
            .fetch_one(&mut database)
            .await
            .unwrap();
        sealed.push(row.get::<Vec<u8>, _>(0));
    }
    for (id, bytes) in ids.iter().zip(sealed.iter().rev()) {
        let statement = "UPDATE lead SET email_enc = ? WHERE id = ?";
        sqlx::query(statement)
            .bind(bytes)
            .bind(id)
            .execute(&mut database)
            .await
            .unwrap();
    }

    for id in &ids {
        let answer = server.read_lead(&key, id).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let problem = answer.text().await.unwrap();
        assert!(!problem.to_lowercase().contains("canary"), "{problem}");
        assert_eq!(
            serde_json::from_str::<Value>(&problem).unwrap()["reason"],
            "integrity.unreadable"
        );
        let logs = server.logs();
        assert!(
            logs.contains(&format!(r#""lead":"{id}","field":"lead.email""#)),
            "{logs}"
        );
    }
    assert!(!server.logs().to_lowercase().contains("canary"));
}

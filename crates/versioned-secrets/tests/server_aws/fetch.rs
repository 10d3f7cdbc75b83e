//! What is fetched, and what a rotation changes.

use portcullis_versioned_secrets::source::{FetchedSecrets, SecretSource as _, SourceError};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::moto::Moto;

fn text(fetched: &FetchedSecrets, variable: &str) -> Option<String> {
    let secret = fetched.get(variable)?;
    // EXPOSE: compared, in a test.
    Some(secret.expose_secret().to_owned())
}

#[tokio::test]
async fn every_member_is_a_secret_and_the_version_is_the_revision() {
    let moto = Moto::start();
    let secrets =
        json!({"INGEST_ADMIN_TOKEN": "canary-1", "PORTCULLIS_KEKS": "1:canary-2", "EMPTY": ""});
    let made = moto.secret("CreateSecret", json!({"SecretString": secrets.to_string()}));
    let source = moto.source().await;
    let fetched = source.fetch().await.unwrap();
    let variables: Vec<_> = fetched.variables().collect();
    assert_eq!(
        variables,
        ["EMPTY", "INGEST_ADMIN_TOKEN", "PORTCULLIS_KEKS"]
    );
    assert_eq!(text(&fetched, "INGEST_ADMIN_TOKEN").unwrap(), "canary-1");
    assert_eq!(text(&fetched, "PORTCULLIS_KEKS").unwrap(), "1:canary-2");
    assert_eq!(text(&fetched, "EMPTY").unwrap(), "");
    assert!(fetched.get("OTHER").is_none());
    assert_eq!(made["VersionId"], fetched.revision());

    let again = source.fetch().await.unwrap();
    assert_eq!(again.revision(), fetched.revision(), "nothing has changed");
    let printed = format!("{source:?}{fetched:?}{again:#?}");
    assert!(!printed.contains("canary"), "{printed}");
}

#[tokio::test]
async fn a_rotation_is_seen_at_the_next_fetch() {
    let moto = Moto::start();
    moto.secret(
        "CreateSecret",
        json!({"SecretString": "{\"TOKEN\":\"first\",\"OLD\":\"x\"}"}),
    );
    let source = moto.source().await;
    let first = source.fetch().await.unwrap();

    // A version that is not current yet is not seen.
    let pending = json!({
        "SecretString": "{\"TOKEN\":\"third\"}",
        "ClientRequestToken": "00000000-0000-4000-8000-000000000003",
        "VersionStages": ["AWSPENDING"],
    });
    moto.secret("PutSecretValue", pending);
    let still = source.fetch().await.unwrap();
    assert_eq!(still.revision(), first.revision());
    assert_eq!(text(&still, "TOKEN").unwrap(), "first");

    let rotated = json!({"SecretString": "{\"TOKEN\":\"second\"}"});
    let rotated = moto.secret("PutSecretValue", rotated);
    let second = source.fetch().await.unwrap();
    assert_eq!(rotated["VersionId"], second.revision());
    assert_ne!(second.revision(), first.revision());
    assert_eq!(text(&second, "TOKEN").unwrap(), "second");
    assert!(second.get("OLD").is_none(), "a member that is gone is gone");
}

#[tokio::test]
async fn what_is_no_object_of_texts_is_malformed() {
    let moto = Moto::start();
    moto.secret("CreateSecret", json!({"SecretString": "canary"}));
    let source = moto.source().await;
    for text in [
        "canary",
        "\"canary\"",
        "[\"canary\"]",
        "{\"A\":1}",
        "{\"A\":null}",
        "{\"A\":{\"canary\":\"b\"}}",
        "{\"A\":\"canary\"",
        "{\"A\":\"canary\"} x",
    ] {
        moto.secret("PutSecretValue", json!({ "SecretString": text }));
        let error = source.fetch().await.unwrap_err();
        assert!(
            matches!(error, SourceError::Malformed { .. }),
            "{text}: {error:?}"
        );
        let printed = format!("{error}{error:?}");
        assert!(!printed.contains("canary"), "{printed}");
        assert!(printed.contains("portcullis/production"), "{printed}");
    }
    moto.secret("PutSecretValue", json!({"SecretBinary": "e30="}));
    let error = source.fetch().await.unwrap_err();
    assert!(matches!(error, SourceError::Malformed { .. }), "{error:?}");
    moto.secret("PutSecretValue", json!({"SecretString": "{}"}));
    assert_eq!(source.fetch().await.unwrap().variables().count(), 0);
}

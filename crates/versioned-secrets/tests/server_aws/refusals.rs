//! Which error says what.

use std::error::Error;

use portcullis_versioned_secrets::source::{SecretSource as _, SourceError};
use serde_json::json;

use super::{
    answers,
    moto::{Moto, source},
};

#[tokio::test]
async fn a_secret_that_is_not_there_is_not_found() {
    let moto = Moto::start();
    let source = moto.source().await;
    let missing = source.fetch().await.unwrap_err();
    assert!(
        matches!(missing, SourceError::NotFound { .. }),
        "{missing:?}"
    );
    let told = missing.to_string();
    assert!(
        told.contains("portcullis/production") && told.contains("eu-west-1"),
        "{told}"
    );

    // It has a name, and no value yet.
    moto.secret("CreateSecret", json!({}));
    let empty = source.fetch().await.unwrap_err();
    assert!(matches!(empty, SourceError::NotFound { .. }), "{empty:?}");

    moto.secret("PutSecretValue", json!({"SecretString": "{}"}));
    source.fetch().await.unwrap();
    moto.secret("DeleteSecret", json!({"RecoveryWindowInDays": 7}));
    let deleted = source.fetch().await.unwrap_err();
    assert!(
        matches!(deleted, SourceError::NotFound { .. }),
        "{deleted:?}"
    );
    moto.secret("RestoreSecret", json!({}));
    source.fetch().await.unwrap();
}

#[tokio::test]
async fn a_wrong_credential_is_denied() {
    let moto = Moto::start();
    moto.secret("CreateSecret", json!({"SecretString": "{}"}));
    let source = moto.source().await;
    source.fetch().await.unwrap();
    moto.enforce_policies();
    let denied = source.fetch().await.unwrap_err();
    assert!(matches!(denied, SourceError::Denied { .. }), "{denied:?}");
}

#[tokio::test]
async fn a_server_that_is_gone_is_unavailable() {
    let mut moto = Moto::start();
    moto.secret("CreateSecret", json!({"SecretString": "{}"}));
    let source = moto.source().await;
    source.fetch().await.unwrap();
    moto.kill();
    let gone = source.fetch().await.unwrap_err();
    assert!(matches!(gone, SourceError::Unavailable { .. }), "{gone:?}");
    let cause = gone.source().unwrap().to_string();
    assert!(cause.contains("secretsmanager:GetSecretValue"), "{cause}");
    assert!(cause.contains("refused"), "{cause}");
}

/// As the API reference lists them, and the errors that all services share.
#[tokio::test]
async fn each_error_is_what_it_says() {
    for (status, code, expected) in [
        (400, "AccessDeniedException", "Denied"),
        (400, "DecryptionFailure", "Denied"),
        (400, "ExpiredTokenException", "Denied"),
        (400, "InvalidSignatureException", "Denied"),
        (400, "UnrecognizedClientException", "Denied"),
        (403, "", "Denied"),
        (400, "InvalidParameterException", "NotFound"),
        (400, "InvalidRequestException", "NotFound"),
        (400, "ResourceNotFoundException", "NotFound"),
        (400, "InternalServiceError", "Unavailable"),
        (400, "ThrottlingException", "Unavailable"),
        (500, "InternalFailure", "Unavailable"),
        (503, "", "Unavailable"),
        (400, "SomethingNew", "Unavailable"),
    ] {
        let body = format!("{{\"__type\":\"{code}\",\"message\":\"said\"}}");
        let body = if code.is_empty() { "<html>" } else { &body };
        let source = source(&answers::always(status, body)).await;
        let error = source.fetch().await.unwrap_err();
        let seen = match &error {
            SourceError::Denied { .. } => "Denied",
            SourceError::NotFound { .. } => "NotFound",
            SourceError::Unavailable { .. } => "Unavailable",
            _ => "another",
        };
        assert_eq!(seen, expected, "{status} {code}: {error:?}");
    }
}

/// However wrong an answer is, nothing of it is printed.
#[tokio::test]
async fn no_error_prints_a_secret() {
    for body in [
        "{\"SecretString\":\"canary\"}",
        "{\"SecretString\":\"canary",
        "{\"SecretString\":[\"canary\"],\"VersionId\":\"1\"}",
        "{\"SecretString\":\"{\\\"A\\\":canary}\",\"VersionId\":\"1\"}",
        "{\"__type\":\"ValidationException\",\"message\":\"Value 'canary' at 'secretId'\"}",
        "canary",
    ] {
        for status in [200, 400, 500] {
            let source = source(&answers::always(status, body)).await;
            let error = source.fetch().await.unwrap_err();
            let mut told = format!("{error}{error:?}{error:#?}{source:?}");
            let mut error: &dyn Error = &error;
            while let Some(cause) = error.source() {
                told += &format!("{cause}{cause:?}");
                error = cause;
            }
            assert!(!told.contains("canary"), "{told}");
        }
    }
}

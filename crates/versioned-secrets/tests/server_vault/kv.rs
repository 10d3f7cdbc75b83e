//! Secrets from the KV engine.

use std::error::Error as _;

use portcullis_versioned_secrets::{
    source::{SecretSource as _, SourceError},
    vault::VaultKv,
};
use secrecy::ExposeSecret as _;

use crate::bao::Bao;

fn with_kv() -> Bao {
    let bao = Bao::start();
    bao.cli(&["secrets", "enable", "-path=secret", "kv-v2"]);
    bao
}

#[tokio::test]
async fn what_is_there_now_is_fetched_with_its_version() {
    let bao = with_kv();
    let source = VaultKv::new(bao.root(), "secret", "team/ingest").unwrap();
    for (value, revision) in [("first-value", "1"), ("second-value", "2")] {
        let admin = format!("INGEST_ADMIN_TOKEN={value}");
        bao.cli(&[
            "kv",
            "put",
            "-mount=secret",
            "team/ingest",
            &admin,
            "OTHER=o",
        ]);
        let fetched = source.fetch().await.unwrap();
        // EXPOSE: compared with what was put there, in a test.
        let seen = fetched.get("INGEST_ADMIN_TOKEN").unwrap().expose_secret();
        assert_eq!((seen, fetched.revision()), (value, revision));
        let variables: Vec<_> = fetched.variables().collect();
        assert_eq!(variables, ["INGEST_ADMIN_TOKEN", "OTHER"]);
        let printed = format!("{fetched:?} {source:?}");
        assert!(
            !printed.contains(value) && !printed.contains(&bao.root_token),
            "{printed}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_fetched_is_told_apart() {
    let mut bao = with_kv();
    bao.cli(&["kv", "put", "-mount=secret", "ingest", "A=canary-value"]);
    let nested = bao.file("nested.json", r#"{"A": "canary-value", "B": {"c": 1}}"#);
    bao.cli(&[
        "kv",
        "put",
        "-mount=secret",
        "nested",
        &format!("@{nested}"),
    ]);
    bao.cli(&["kv", "put", "-mount=secret", "gone", "A=canary-value"]);
    bao.cli(&["kv", "delete", "-mount=secret", "gone"]);
    let stranger = bao.client(&bao.token_with(
        "stranger",
        "path \"secret/data/other\" { capabilities = [\"read\"] }",
    ));
    let fetch = async |client, mount, path| {
        let source = VaultKv::new(client, mount, path).unwrap();
        let error = source.fetch().await.unwrap_err();
        let printed = format!("{error} {error:?} {:?}", error.source());
        assert!(
            !printed.contains("canary") && !printed.contains(&bao.root_token),
            "{printed}"
        );
        error
    };

    let nested = fetch(bao.root(), "secret", "nested").await;
    assert!(
        matches!(nested, SourceError::Malformed { .. }),
        "{nested:?}"
    );
    for (mount, path) in [
        ("secret", "absent"),
        ("secret", "gone"),
        ("absent", "ingest"),
    ] {
        let absent = fetch(bao.root(), mount, path).await;
        assert!(matches!(absent, SourceError::NotFound { .. }), "{absent:?}");
    }
    let denied = fetch(stranger, "secret", "ingest").await;
    assert!(matches!(denied, SourceError::Denied { .. }), "{denied:?}");
    assert_eq!(
        denied.to_string(),
        "the entry ingest of the KV engine secret of Vault refuses access: check the credential and its policy"
    );

    bao.seal();
    let sealed = fetch(bao.root(), "secret", "ingest").await;
    assert!(
        matches!(sealed, SourceError::Unavailable { .. }),
        "{sealed:?}"
    );
    assert_eq!(
        sealed.source().unwrap().to_string(),
        "Vault is sealed: unseal it"
    );

    let source = VaultKv::new(bao.root(), "secret", "ingest").unwrap();
    bao.kill();
    let away = source.fetch().await.unwrap_err();
    assert!(matches!(away, SourceError::Unavailable { .. }), "{away:?}");
    bao.restart();
    assert!(source.fetch().await.is_ok());
}

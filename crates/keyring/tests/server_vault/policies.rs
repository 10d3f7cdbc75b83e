//! The policies of `deploy/vault`: what each token may do, and what it may not.

use std::{fs, path::Path, sync::Arc};

use portcullis_keyring::{
    kek::{KekError, KekProvider as _, VaultKeyError},
    secrets::{
        source::SecretSource as _,
        vault::{VaultClient, VaultError, VaultKv, VaultPath},
    },
};

use crate::{Bao, context, kek, with_key};

/// A token with one of the policies.
fn client_of(bao: &Bao, name: &str) -> VaultClient {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/vault");
    let policy = fs::read_to_string(folder.join(format!("{name}.hcl"))).unwrap();
    bao.client(&bao.token_with(name, &policy))
}

/// A request that is not for this token.
async fn is_denied(client: &VaultClient, path: &str, texts: &[(&str, &str)]) {
    let path = VaultPath::new(path).unwrap();
    let written = client.write(&path, texts).await;
    assert!(
        matches!(written, Err(VaultError::Denied { .. })),
        "{path}: {written:?}"
    );
}

async fn cannot_be_read(client: &VaultClient, path: &str) {
    let read = client.read(&VaultPath::new(path).unwrap()).await;
    assert!(
        matches!(read, Err(VaultError::Denied { .. })),
        "{path}: {read:?}"
    );
}

fn is_denied_kek<T>(answer: Result<T, KekError>) {
    let Err(KekError::Unavailable(why)) = answer else {
        panic!("it was not denied");
    };
    let why = why.downcast_ref();
    assert!(
        matches!(why, Some(VaultKeyError::Vault(VaultError::Denied { .. }))),
        "{why:?}"
    );
}

#[tokio::test]
async fn a_sealing_service_makes_and_unwraps_data_keys_and_nothing_else() {
    let bao = with_key();
    bao.cli(&["write", "-f", "transit/keys/other", "derived=true"]);
    let client = client_of(&bao, "sealing-service");
    let kek = kek(client.clone());
    let here = context("t", 1);
    let made = kek.generate(&here).await.unwrap();
    let key = kek.unwrap_key(&here, &made.wrapped).await.unwrap();

    is_denied_kek(kek.wrap(&here, &key).await);
    is_denied_kek(kek.rewrap(&here, &made.wrapped).await);
    for path in [
        "transit/keys/ingest",
        "transit/keys/ingest/rotate",
        "transit/keys/new",
        "transit/datakey/plaintext/other",
        "transit/decrypt/other",
    ] {
        is_denied(&client, path, &[]).await;
    }
    let config = "transit/keys/ingest/config";
    is_denied(&client, config, &[("min_decryption_version", "1")]).await;
    for path in [
        "transit/export/encryption-key/ingest",
        "transit/backup/ingest",
        "transit/keys/other",
    ] {
        cannot_be_read(&client, path).await;
    }
    // How old the key is, and that its own token lasts.
    assert!(kek.primary_since().await.unwrap().is_some());
    let path = VaultPath::new("auth/token/lookup-self").unwrap();
    client.read(&path).await.unwrap();
    let path = VaultPath::new("auth/token/renew-self").unwrap();
    client.write(&path, &[]).await.unwrap();
}

#[tokio::test]
async fn a_moving_operator_wraps_and_unwraps_data_keys_and_nothing_else() {
    let bao = with_key();
    let here = context("t", 1);
    let made = kek(bao.root()).generate(&here).await.unwrap();
    let client = client_of(&bao, "moving-operator");
    let kek = kek(client.clone());
    let key = kek.unwrap_key(&here, &made.wrapped).await.unwrap();
    kek.wrap(&here, &key).await.unwrap();
    is_denied_kek(kek.generate(&here).await);
    is_denied_kek(kek.rewrap(&here, &made.wrapped).await);
    for path in ["transit/keys/ingest", "transit/keys/ingest/rotate"] {
        is_denied(&client, path, &[]).await;
    }
    let config = "transit/keys/ingest/config";
    is_denied(&client, config, &[("min_decryption_version", "1")]).await;
    cannot_be_read(&client, "transit/export/encryption-key/ingest").await;
}

#[tokio::test]
async fn a_rotation_operator_moves_data_keys_without_seeing_one() {
    let bao = with_key();
    let here = context("t", 1);
    let made = kek(bao.root()).generate(&here).await.unwrap();
    let client = client_of(&bao, "rotation-operator");
    let kek = Arc::new(kek(client.clone()));
    let write = async |path: &str, texts: &[(&str, &str)]| {
        client.write(&VaultPath::new(path).unwrap(), texts).await
    };

    write("transit/keys/ingest/rotate", &[]).await.unwrap();
    assert_eq!(kek.check().await.unwrap().latest_version().value(), 2);
    let moved = kek.rewrap(&here, &made.wrapped).await.unwrap();
    assert_eq!(kek.version_of(&moved).unwrap(), "transit/ingest:v2");
    let config = "transit/keys/ingest/config";
    write(config, &[("min_decryption_version", "2")])
        .await
        .unwrap();

    is_denied_kek(kek.unwrap_key(&here, &moved).await);
    is_denied_kek(kek.generate(&here).await);
    is_denied_kek(kek.wrap(&here, &made.key).await);
    for property in ["exportable", "allow_plaintext_backup", "deletion_allowed"] {
        is_denied(&client, config, &[(property, "true")]).await;
        is_denied(
            &client,
            config,
            &[("min_decryption_version", "1"), (property, "true")],
        )
        .await;
    }
    is_denied(
        &client,
        "transit/keys/ingest/trim",
        &[("min_available_version", "2")],
    )
    .await;
    cannot_be_read(&client, "transit/export/encryption-key/ingest").await;
    cannot_be_read(&client, "transit/backup/ingest").await;
    cannot_be_read(&client, "secret/data/ingest").await;
}

#[tokio::test]
async fn a_secrets_reader_reads_its_entry_and_nothing_else() {
    let bao = with_key();
    bao.cli(&["secrets", "enable", "-path=secret", "kv-v2"]);
    for entry in ["ingest", "ingest/below", "other"] {
        bao.cli(&["kv", "put", "-mount=secret", entry, "A=a"]);
    }
    let client = client_of(&bao, "secrets-reader");
    let own = VaultKv::new(client.clone(), "secret", "ingest").unwrap();
    assert_eq!(own.fetch().await.unwrap().revision(), "1");
    for path in [
        "secret/data/other",
        "secret/data/ingest/below",
        "secret/metadata/ingest",
        "secret/config",
        "transit/keys/ingest",
    ] {
        cannot_be_read(&client, path).await;
    }
    for path in [
        "secret/data/ingest",
        "secret/delete/ingest",
        "transit/decrypt/ingest",
    ] {
        is_denied(&client, path, &[]).await;
    }
}

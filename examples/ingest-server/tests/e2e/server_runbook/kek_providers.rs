//! "Rotate the key of AWS KMS", "Rotate the key of Vault" and "Move data keys to another provider", on moto and a real
//! OpenBao.

use std::fs;

use serde_json::json;

use super::{
    host::{Host, write},
    steps,
    traffic::Fleet,
};
use crate::{
    server_aws::Moto,
    server_vault::{self, Bao},
};

/// What the command line of AWS does with a call that moto knows.
const AWS: &str = r#"
import sys, boto3, jmespath
service, operation, *rest = sys.argv[1:]
given = dict(zip(rest[0::2], rest[1::2]))
query = given.pop('--query', '@')
assert given.pop('--output', 'text') == 'text'
names = {''.join(word.capitalize() for word in name[2:].split('-')): value for name, value in given.items()}
answer = getattr(boto3.client(service), operation.replace('-', '_'))(**names)
found = jmespath.search(query, answer)
if query != '@':
    print(found)
"#;

impl Host {
    /// Gives the operator a program, as the body of a function of a shell; the environment of the service is
    /// exported in it.
    fn tool(&mut self, name: &str, body: &str) {
        let environment = self.etc().join("environment").display().to_string();
        let function =
            format!("{name}() {{ (set -a; . {environment}; unset LD_PRELOAD; {body}); }}\n");
        self.tools.push_str(&function);
    }

    /// Adds settings to the environment of the service.
    fn set(&self, settings: &[(&str, &str)]) {
        let path = self.etc().join("environment");
        let mut text = fs::read_to_string(&path).unwrap();
        for (name, value) in settings {
            text.push_str(&format!("{name}={value}\n"));
        }
        write(&path, &text);
    }

    /// What the operator does whose step was refused after it had changed the environment.
    fn put_back_environment(&self) {
        fs::rename(self.secret("before"), self.etc().join("environment")).unwrap();
    }
}

/// A host whose operator reaches a Vault and an AWS, and whose service may do there what the page says.
async fn host() -> (Host, Bao, Moto) {
    let (mut host, bao, moto) = (Host::new(), Bao::start().await, Moto::start().await);
    let policies = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/vault");
    let mut create = vec!["token", "create", "-no-default-policy", "-field=token"];
    let names = ["sealing-service", "moving-operator", "rotation-operator"];
    let given = names.map(|name| format!("-policy={name}"));
    for (name, policy) in names.iter().zip(&given) {
        bao.cli(&["policy", "write", name, &format!("{policies}/{name}.hcl")]);
        create.push(policy);
    }
    let token = bao.cli(&create);
    let (vault, aws) = (
        format!("http://{}", bao.address),
        format!("http://{}", moto.address),
    );
    host.set(&[
        ("VAULT_ADDR", &vault),
        ("VAULT_TOKEN", &token),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_ENDPOINT_URL", &aws),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ]);
    let script = host.data.path().join("aws.py");
    fs::write(&script, AWS).unwrap();
    host.tool("aws", &format!("python3 {} \"$@\"", script.display()));
    let root = server_vault::ROOT;
    let binary = server_vault::binary();
    let body = format!(
        "BAO_ADDR=$VAULT_ADDR BAO_TOKEN={root} {} \"$@\"",
        binary.display()
    );
    host.tool("vault", &body);
    (host, bao, moto)
}

/// An alias for a new key, as the page takes it to be there.
async fn alias(moto: &Moto) -> String {
    let key = moto.key().await;
    let alias = json!({ "AliasName": "alias/ingest", "TargetKeyId": &key });
    let target = "TrentService.CreateAlias";
    moto.call("kms", target, alias).await;
    key
}

#[tokio::test]
async fn data_keys_move_from_one_provider_to_the_next_and_back() {
    const SECTION: &str = "Move data keys to another provider";
    assert_eq!(steps::count(SECTION), 5);
    let (host, _bao, moto) = host().await;
    alias(&moto).await;
    let files = host.settings();
    let keks = &files["PORTCULLIS_KEKS_FILE"];
    let mut fleet = Fleet::start(&host).await;
    for (from, to, settings, wraps) in [
        (
            "local",
            "vault",
            ("PORTCULLIS_VAULT_TRANSIT_KEY", "ingest"),
            "transit/ingest:v1 wraps",
        ),
        (
            "vault",
            "aws-kms",
            ("PORTCULLIS_KMS_KEY", "alias/ingest"),
            "arn:aws:kms:",
        ),
        (
            "aws-kms",
            "local",
            ("PORTCULLIS_KEKS_FILE", keks),
            "version 1 wraps",
        ),
    ] {
        let names = format!("from={from} to={to}");
        host.set(&[settings]);

        // 2. Every process opens both; and again, which changes nothing.
        host.follow_with(&names, SECTION, 2);
        let settings = host.settings();
        host.follow_with(&names, SECTION, 2);
        assert_eq!(host.settings(), settings);
        fleet.restart(&host).await;

        // 3. One wraps with the next one, the other not yet: both read what the other has written.
        host.follow_with(&names, SECTION, 3);
        let new = host.start();
        let key = new.issue(to, &crate::harness::ALL_SCOPES).await;
        let lead = json!({ "email": "new@example.com" });
        let id = new.lead(&key, &lead).await;
        for server in &fleet.servers {
            let read = server.read_lead(&key, &id).await;
            assert!(read.status().is_success(), "{to}");
        }
        assert!(new.terminate().success());
        fleet.restart(&host).await;

        // 5 comes too early: nothing was restarted, and it is taken back.
        let before = host.settings();
        let said = host.fail_with(&names, SECTION, 5);
        let missing = format!("PORTCULLIS_KEK_OTHER_PROVIDERS: `{from}` is missing");
        assert!(said.contains(&missing), "{said}");
        assert_ne!(host.settings(), before);
        host.put_back_environment();
        assert_eq!(host.settings(), before);

        // 4. Run twice.
        let said = host.follow_with(&names, SECTION, 4);
        assert!(said.contains(wraps), "{said}");
        assert!(!said.contains(" 0 wrapped again"), "{said}");
        fleet.ask_on().await;
        let said = host.follow_with(&names, SECTION, 4);
        assert!(said.contains(" 0 wrapped again, 0 failed"), "{said}");

        // 5. Now the former one can go, with its settings.
        let said = host.follow_with(&names, SECTION, 5);
        assert!(said.contains("systemctl restart ingest-server"), "{said}");
        fleet.restart(&host).await;
        let age = fleet.servers[0].metrics().await;
        let series = format!("keyring_kek_age_seconds{{provider=\"{to}\"}}");
        assert!(age[&series] < 24.0 * 60.0 * 60.0, "{to}");
    }
    fleet.end(&host, 3).await;
}

#[tokio::test]
async fn the_key_of_kms_is_replaced_and_dropped() {
    const SECTION: &str = "Rotate the key of AWS KMS";
    assert_eq!(steps::count(SECTION), 4);
    let (host, _bao, moto) = host().await;
    let first = alias(&moto).await;
    host.set(&[
        ("PORTCULLIS_KEK_PROVIDER", "aws-kms"),
        ("PORTCULLIS_KMS_KEY", "alias/ingest"),
    ]);
    let mut fleet = Fleet::start(&host).await;

    // 1. Run twice, it makes one key.
    host.follow(SECTION, 1);
    let second = host.settings()["PORTCULLIS_KMS_OLD_KEYS"].clone();
    host.follow(SECTION, 1);
    assert_eq!(host.settings()["PORTCULLIS_KMS_OLD_KEYS"], second);
    fleet.restart(&host).await;

    // 2. One process has started since, the others wrap with the former key.
    host.follow(SECTION, 2);
    host.follow(SECTION, 2);
    let keys = format!("{first},{second}");
    assert_eq!(host.settings()["PORTCULLIS_KMS_OLD_KEYS"], keys);
    let new = host.start();
    let key = new.issue("globex", &crate::harness::ALL_SCOPES).await;
    let lead = json!({ "email": "new@example.com" });
    let id = new.lead(&key, &lead).await;
    for server in &fleet.servers {
        let read = server.read_lead(&key, &id).await;
        assert!(read.status().is_success());
    }
    assert!(new.terminate().success());
    fleet.restart(&host).await;

    // 4 comes too early: nothing was restarted.
    let said = host.fail(SECTION, 4);
    let missing = format!("PORTCULLIS_KMS_OLD_KEYS: {first} is missing");
    assert!(said.contains(&missing), "{said}");
    host.put_back_environment();

    // 3. Run twice.
    let said = host.follow(SECTION, 3);
    assert!(said.contains(&format!("{second} wraps")), "{said}");
    assert!(!said.contains(&format!("{first} wraps")), "{said}");
    let said = host.follow(SECTION, 3);
    assert!(said.contains(" 0 wrapped again, 0 failed"), "{said}");

    // 4. Now it can go.
    host.follow(SECTION, 4);
    assert!(!host.settings().contains_key("PORTCULLIS_KMS_OLD_KEYS"));
    fleet.restart(&host).await;
    fleet.end(&host, 1).await;
}

#[tokio::test]
async fn the_key_of_vault_is_replaced_and_its_version_dropped() {
    const SECTION: &str = "Rotate the key of Vault";
    assert_eq!(steps::count(SECTION), 3);
    let (host, bao, _moto) = host().await;
    host.set(&[
        ("PORTCULLIS_KEK_PROVIDER", "vault"),
        ("PORTCULLIS_VAULT_TRANSIT_KEY", "ingest"),
    ]);
    let mut fleet = Fleet::start(&host).await;
    host.follow(SECTION, 1);
    fleet.ask_on().await;
    let said = host.follow(SECTION, 2);
    assert!(said.contains("transit/ingest:v2 wraps"), "{said}");
    assert!(!said.contains("transit/ingest:v1 wraps"), "{said}");
    let said = host.follow(SECTION, 3);
    assert!(said.contains(" 0 wrapped again, 0 failed"), "{said}");
    let least = bao.cli(&[
        "read",
        "-field=min_decryption_version",
        "transit/keys/ingest",
    ]);
    assert_eq!(least, "2");
    // Who starts now unwraps each key.
    fleet.restart(&host).await;
    fleet.end(&host, 0).await;
}

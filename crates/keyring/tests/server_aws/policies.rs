//! The policies in `deploy/aws`, as far as moto evaluates policies: which actions each allows and refuses.
//!
//! moto knows neither resources nor conditions of a policy (a policy for one key allows nothing there), and
//! calls `ReEncrypt` one action where AWS has two. It is given each policy without resources and conditions,
//! and with that one action; what is left out is compared with what is sent.

use std::{collections::BTreeSet, fmt::Debug, fs, path::Path};

use portcullis_keyring::{
    kek::{AwsKms, KekContext, KekProvider as _, WrappedKey},
    secrets::{
        aws::{AwsConnection, SecretsManager},
        source::{SecretSource as _, SourceError},
    },
};
use serde_json::{Value, json};

use super::{
    moto::{ACCOUNT, Moto, REGION, connection, context},
    proxy::Proxy,
    refusals::told,
};

const SERVICE: &str = "sealing-service";
const OPERATOR: &str = "rotation-operator";
const MOVER: &str = "moving-operator";
const READER: &str = "secrets-reader";
const ALL: [&str; 4] = [SERVICE, OPERATOR, MOVER, READER];
const SECRET: &str = "portcullis";

/// A policy for one key and secret, as an operator would fill it in.
fn policy(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/aws");
    let text = fs::read_to_string(folder.join(name).with_extension("json")).unwrap();
    let filled = [
        ("REGION", REGION),
        ("ACCOUNT", ACCOUNT),
        ("PRESENT-KEY", "00000000-0000-4000-8000-000000000002"),
        ("FORMER-KEY", "00000000-0000-4000-8000-000000000001"),
        ("SECRET-NAME", SECRET),
    ];
    let text = filled
        .iter()
        .fold(text, |text, (blank, value)| text.replace(blank, value));
    serde_json::from_str(&text).unwrap()
}

fn statements(policy: &mut Value) -> &mut Vec<Value> {
    policy["Statement"].as_array_mut().unwrap()
}

fn as_moto_knows_it(mut policy: Value) -> Value {
    for statement in statements(&mut policy) {
        statement["Resource"] = json!("*");
        statement.as_object_mut().unwrap().remove("Condition");
        let action = statement["Action"].as_str().unwrap_or_default();
        if action.starts_with("kms:ReEncrypt") {
            statement["Action"] = json!("kms:ReEncrypt");
        }
    }
    policy
}

/// A user who has this policy and no other: their key id and secret.
fn user(moto: &Moto, name: &str, policy: &Value) -> (String, String) {
    moto.iam("CreateUser", &[("UserName", name)]);
    let document = policy.to_string();
    let put = [
        ("UserName", name),
        ("PolicyName", name),
        ("PolicyDocument", &document),
    ];
    moto.iam("PutUserPolicy", &put);
    let made = moto.iam("CreateAccessKey", &[("UserName", name)]);
    let element = |name: &str| {
        let (_, rest) = made.split_once(&format!("<{name}>")).unwrap();
        rest.split_once('<').unwrap().0.to_owned()
    };
    (element("AccessKeyId"), element("SecretAccessKey"))
}

/// What may be done, of all that this crate and the next one do.
async fn allowed(
    connection: &AwsConnection,
    key: &str,
    context: &KekContext,
    wrapped: &WrappedKey,
) -> BTreeSet<&'static str> {
    let kek = AwsKms::new(connection, key).unwrap();
    let mut allowed = BTreeSet::new();
    let mut note = |action, is_allowed| is_allowed && allowed.insert(action);
    let generated = kek.generate(context).await;
    note("kms:GenerateDataKey", is_allowed(&generated));
    let opened = kek.unwrap_key(context, wrapped).await;
    note("kms:Decrypt", is_allowed(&opened));
    note(
        "kms:ReEncrypt",
        is_allowed(&kek.rewrap(context, wrapped).await),
    );
    if let Ok(opened) = opened {
        note("kms:Encrypt", is_allowed(&kek.wrap(context, &opened).await));
    }
    note(
        "kms:ListKeyRotations",
        is_allowed(&kek.primary_since().await),
    );
    let described = kek.primary_since().await;
    let described = described.map_err(|error| told(&error));
    note(
        "kms:DescribeKey",
        !matches!(described, Err(error) if error.contains("kms:DescribeKey")),
    );
    let fetched = SecretsManager::new(connection, SECRET).fetch().await;
    let refused = matches!(fetched, Err(SourceError::Denied { .. }));
    assert!(fetched.is_ok() || refused, "{fetched:?}");
    note("secretsmanager:GetSecretValue", fetched.is_ok());
    allowed
}

/// Allowed, or refused by a policy and nothing else.
fn is_allowed<T: Debug>(answer: &Result<T, portcullis_keyring::kek::KekError>) -> bool {
    let Err(error) = answer else { return true };
    let text = told(error);
    // moto says it in XML, which no client of KMS reads.
    assert!(text.contains("status 403"), "{text}");
    false
}

#[tokio::test]
async fn each_policy_allows_what_its_holder_does_and_nothing_else() {
    let moto = Moto::start();
    let (kek, key) = moto.kek().await;
    let here = context("tenant", "email", 7);
    let wrapped = kek.generate(&here).await.unwrap().wrapped;
    let secret = json!({"Name": SECRET, "SecretString": "{\"A\":\"b\"}"});
    moto.secrets_manager("CreateSecret", &secret);
    let mut users = Vec::new();
    for name in ALL {
        users.push((name, user(&moto, name, &as_moto_knows_it(policy(name)))));
    }
    let nobody = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    ]});
    users.push(("nobody", user(&moto, "nobody", &nobody)));
    let whole: Value = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["kms:*", "secretsmanager:*"], "Resource": "*"}
    ]});
    users.push(("everybody", user(&moto, "everybody", &whole)));
    moto.enforce_policies();

    for (name, (id, secret)) in users {
        let connection = connection(&moto.endpoint(), &id, &secret).await;
        let expected: &[&str] = match name {
            SERVICE => &[
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:GenerateDataKey",
                "kms:ListKeyRotations",
            ],
            MOVER => &["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"],
            OPERATOR => &["kms:DescribeKey", "kms:ReEncrypt"],
            READER => &["secretsmanager:GetSecretValue"],
            "everybody" => &[
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey",
                "kms:ListKeyRotations",
                "kms:ReEncrypt",
                "secretsmanager:GetSecretValue",
            ],
            _ => &[],
        };
        let seen = allowed(&connection, &key, &here, &wrapped).await;
        assert_eq!(seen, expected.iter().copied().collect(), "{name}");
    }
}

/// What its holder does with a key that an alias names, and what is refused without `kms:DescribeKey`.
#[tokio::test]
async fn who_wraps_may_see_which_key_an_alias_names() {
    const ALIAS: &str = "alias/portcullis";
    let moto = Moto::start();
    let (kek, key) = moto.kek().await;
    let target = json!({"AliasName": ALIAS, "TargetKeyId": key});
    moto.kms("CreateAlias", &target);
    let here = context("tenant", "email", 7);
    let made = kek.generate(&here).await.unwrap();
    let mut users = Vec::new();
    for name in [SERVICE, OPERATOR, MOVER] {
        let as_it_stands = as_moto_knows_it(policy(name));
        let mut without = as_it_stands.clone();
        statements(&mut without)
            .retain(|statement| !statement["Action"].to_string().contains("kms:DescribeKey"));
        let blind = user(&moto, &format!("blind-{name}"), &without);
        users.push((name, user(&moto, name, &as_it_stands), blind));
    }
    moto.enforce_policies();

    for (name, seeing, blind) in users {
        for ((id, secret), is_seeing) in [(seeing, true), (blind, false)] {
            let connection = connection(&moto.endpoint(), &id, &secret).await;
            let kek = AwsKms::new(&connection, ALIAS).unwrap();
            let wrapped = match name {
                SERVICE => kek.generate(&here).await.map(|made| made.wrapped),
                OPERATOR => kek.rewrap(&here, &made.wrapped).await,
                _ => kek.wrap(&here, &made.key).await,
            };
            assert_eq!(is_allowed(&wrapped), is_seeing, "{name}");
            let by_key = wrapped.ok().and_then(|wrapped| kek.version_of(&wrapped));
            assert_eq!(by_key, is_seeing.then(|| key.clone()), "{name}");
        }
    }
}

/// As they stand, with resources and conditions, they are well-formed for IAM.
#[test]
fn every_policy_is_taken_as_it_stands() {
    let moto = Moto::start();
    for name in ALL {
        user(&moto, name, &policy(name));
    }
}

/// What moto does not evaluate: on which keys, and under which conditions.
#[tokio::test]
async fn conditions_name_the_context_that_is_sent() {
    let moto = Moto::start();
    let proxy = Proxy::before(moto.port()).await;
    let connection = connection(&proxy.endpoint(), "test", "test").await;
    let kek = AwsKms::new(&connection, &moto.key()).unwrap();
    let made = kek.generate(&context("tenant", "email", 7)).await.unwrap();
    drop(made);
    let sent = proxy.calls().pop().unwrap().sent;
    let names = sent["EncryptionContext"].as_object().unwrap().keys();
    let conditions: serde_json::Map<_, _> = names
        .map(|name| (format!("kms:EncryptionContext:{name}"), json!("false")))
        .collect();
    assert_eq!(conditions.len(), 3);

    let mut seen = Vec::new();
    for name in [SERVICE, OPERATOR, MOVER] {
        for statement in statements(&mut policy(name)) {
            assert_eq!(statement["Effect"], "Allow", "{statement}");
            // Which is sent with what concerns a data key, and not with what is asked about the KMS key.
            let is_about_the_key = statement["Action"].to_string().contains("kms:DescribeKey");
            let expected = match is_about_the_key {
                true => Value::Null,
                false => json!({ "Null": &conditions }),
            };
            assert_eq!(statement["Condition"], expected, "{statement}");
            let keys = match &statement["Resource"] {
                Value::Array(keys) => keys.len(),
                key => key.as_str().map_or(0, |_| 1),
            };
            let resources = statement["Resource"].to_string();
            assert!(!resources.contains('*'), "{statement}");
            assert!(resources.contains("key/00000000-0000-4000-8000-000000000002"));
            let action = match &statement["Action"] {
                Value::String(action) => action.clone(),
                actions => actions.to_string(),
            };
            seen.push((name, action, keys));
        }
    }
    let expected = [
        (SERVICE, "kms:GenerateDataKey".to_owned(), 1),
        (SERVICE, "kms:Decrypt".to_owned(), 2),
        (
            SERVICE,
            json!(["kms:DescribeKey", "kms:ListKeyRotations"]).to_string(),
            1,
        ),
        (OPERATOR, "kms:ReEncryptFrom".to_owned(), 2),
        (OPERATOR, "kms:ReEncryptTo".to_owned(), 1),
        (OPERATOR, "kms:DescribeKey".to_owned(), 1),
        (MOVER, "kms:Encrypt".to_owned(), 1),
        (MOVER, "kms:Decrypt".to_owned(), 1),
        (MOVER, "kms:DescribeKey".to_owned(), 1),
    ];
    assert_eq!(seen, expected);
}

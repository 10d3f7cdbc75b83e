//! A policy as an operator writes and reads it:
//! `{"default": {"email": "reject"}, "tenant": {"acme": {"phone": "seal"}}}`.

use portcullis_pii_detect::{Detector, Kind};
use serde_json::{Map, Value, json};

use super::{DetectionPolicy, Handling};
use crate::{
    files::FilePolicy,
    json::{self, JsonError},
};

/// Why a policy cannot be used. The text repeats nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub(crate) struct InvalidPolicy {
    why: String,
    /// The members that lead to what is wrong.
    path: Vec<String>,
}

/// Why a text holds no policy: what is wrong, and on which line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
enum InvalidText {
    #[error(transparent)]
    NotJson(#[from] JsonError),
    #[error("line {line}: {policy}")]
    Policy { line: usize, policy: InvalidPolicy },
}

/// The longest name of a tenant.
const MAX_TENANT: usize = 128;

/// Reads a policy; what it leaves out is as by default.
pub(crate) fn read(document: Value) -> Result<DetectionPolicy, InvalidPolicy> {
    read_named(document, check_looks)
}

/// Reads a policy that was read before it was stored, or the default where none was. A detector that
/// has learnt since then to see something in the name of a tenant keeps no service from starting.
pub(crate) fn read_stored(remembered: Option<&str>) -> Result<DetectionPolicy, InvalidPolicy> {
    let Some(text) = remembered else {
        return Ok(DetectionPolicy::default());
    };
    let document = json::read(text.as_bytes());
    let document = document.map_err(|error| invalid(error.to_string(), &[]))?;
    read_named(document, |_| Ok(()))
}

impl FilePolicy for DetectionPolicy {
    fn from_text(text: &[u8]) -> Result<Self, String> {
        read_text(text).map_err(|error| error.to_string())
    }
}

/// Reads a policy whose names of tenants pass one more check.
fn read_named(
    document: Value,
    check: impl Fn(&str) -> Result<(), &'static str>,
) -> Result<DetectionPolicy, InvalidPolicy> {
    let mut policy = DetectionPolicy::default();
    let members = object(document, "the policy", &[])?;
    for (name, value) in members {
        let path = vec![name];
        match path[0].as_str() {
            "default" => {
                for (kind, handling) in handlings(value, &path)? {
                    policy.default.set(kind, handling);
                }
            }
            "tenant" => {
                for (tenant, value) in object(value, "`tenant`", &path)? {
                    let path = [path.clone(), vec![tenant.clone()]].concat();
                    let named = check_tenant(&tenant).and_then(|()| check(&tenant));
                    named.map_err(|why| invalid(why, &path))?;
                    let handlings = handlings(value, &path)?.into_iter();
                    let handlings = handlings.map(|(kind, handling)| (kind.as_str(), handling));
                    policy.tenants.insert(tenant, handlings.collect());
                }
            }
            _ => return Err(invalid(unknown("member", "default, tenant"), &path)),
        }
    }
    Ok(policy)
}

/// Reads a policy from a text, as a file has it.
fn read_text(text: &[u8]) -> Result<DetectionPolicy, InvalidText> {
    read(json::read(text)?).map_err(|policy| InvalidText::Policy {
        line: json::line_of(text, &policy.path),
        policy,
    })
}

/// A policy as a document, with every kind of the default; read again, it is the same.
pub(crate) fn describe(policy: &DetectionPolicy) -> Value {
    let default = Kind::ALL.iter().map(|kind| {
        let handling = policy.default.of(*kind);
        (kind.as_str().to_owned(), json!(handling.as_str()))
    });
    let tenants = policy.tenants.iter().map(|(tenant, overrides)| {
        let overrides = overrides.iter();
        let overrides =
            overrides.map(|(kind, handling)| ((*kind).to_owned(), json!(handling.as_str())));
        (tenant.clone(), Value::Object(overrides.collect()))
    });
    json!({
        "default": Value::Object(default.collect()),
        "tenant": Value::Object(tenants.collect()),
    })
}

fn handlings(document: Value, at: &[String]) -> Result<Vec<(Kind, Handling)>, InvalidPolicy> {
    let members = object(document, "what is done with each kind", at)?;
    let read = |(name, value): (String, Value)| {
        let path = [at, std::slice::from_ref(&name)].concat();
        let kind = Kind::ALL.iter().find(|kind| kind.as_str() == name);
        let kind = kind.ok_or_else(|| {
            let known = Kind::ALL.iter().map(|kind| kind.as_str());
            invalid(unknown("kind", &listed(known)), &path)
        })?;
        let handling = Handling::ALL
            .into_iter()
            .find(|handling| value == handling.as_str());
        let handling = handling.ok_or_else(|| {
            let known = listed(Handling::ALL.into_iter().map(Handling::as_str));
            let why = format!("what is done with `{kind}` must be one of {known}");
            invalid(why, &path)
        })?;
        Ok((*kind, handling))
    };
    members.into_iter().map(read).collect()
}

/// A tenant's name has letters, digits and a few signs.
fn check_tenant(name: &str) -> Result<(), &'static str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte);
    if !(1..=MAX_TENANT).contains(&name.len()) || !name.bytes().all(is_plain) {
        return Err("the name of a tenant is made of 1 to 128 characters of A-Z a-z 0-9 . _ : / -");
    }
    Ok(())
}

/// A name that looks like personal data is given to no tenant, and a policy is stored and shown.
fn check_looks(name: &str) -> Result<(), &'static str> {
    if Detector::standard().first_kind(name).is_some() {
        return Err("the name of a tenant looks like personal data or a key");
    }
    Ok(())
}

fn object(value: Value, what: &str, at: &[String]) -> Result<Map<String, Value>, InvalidPolicy> {
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(invalid(format!("{what} must be a JSON object"), at)),
    }
}

fn unknown(what: &str, known: &str) -> String {
    format!("there is a {what} that is not known; known are {known}")
}

fn listed(names: impl Iterator<Item = &'static str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

fn invalid(why: impl Into<String>, path: &[String]) -> InvalidPolicy {
    InvalidPolicy {
        why: why.into(),
        path: path.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_described_reads_back_as_the_same() {
        for given in [
            json!({}),
            json!({ "default": {}, "tenant": {} }),
            json!({ "default": { "email": "seal", "ip_address": "reject", "phone": "off" } }),
            json!({ "tenant": { "acme": { "national_id": "seal" }, "eu/other": {} } }),
            json!({ "default": { "api_key": "seal" }, "tenant": { "acme": { "api_key": "reject" } } }),
        ] {
            let policy = read(given.clone()).unwrap();
            let described = describe(&policy);
            assert_eq!(read(described.clone()).unwrap(), policy, "{given}");
            assert_eq!(read_text(described.to_string().as_bytes()).unwrap(), policy);
        }
        let described = describe(&DetectionPolicy::default());
        let kinds = described["default"].as_object().unwrap();
        assert_eq!(kinds.len(), Kind::ALL.len());
        assert_eq!(
            (&kinds["email"], &kinds["ip_address"]),
            (&json!("reject"), &json!("off"))
        );
    }

    #[test]
    fn what_is_not_known_is_refused_with_what_is_and_never_repeated() {
        const KINDS: &str =
            "email, phone, payment_card, national_id, bank_account, api_key, ip_address";
        for (given, part) in [
            (json!([]), "must be a JSON object"),
            (json!({ "canary": {} }), "default, tenant"),
            (json!({ "Default": {} }), "default, tenant"),
            (json!({ "tenants": {} }), "default, tenant"),
            (json!({ "default": "canary" }), "must be a JSON object"),
            (json!({ "default": { "canary": "seal" } }), KINDS),
            (json!({ "default": { "Email": "seal" } }), KINDS),
            (json!({ "default": { "payment-card": "seal" } }), KINDS),
            (
                json!({ "default": { "email": "canary" } }),
                "`email` must be one of reject, seal, off",
            ),
            (
                json!({ "default": { "email": "Reject" } }),
                "reject, seal, off",
            ),
            (json!({ "default": { "email": true } }), "reject, seal, off"),
            (json!({ "default": { "email": null } }), "reject, seal, off"),
            (json!({ "tenant": [] }), "must be a JSON object"),
            (
                json!({ "tenant": { "acme": null } }),
                "must be a JSON object",
            ),
            (json!({ "tenant": { "acme": { "canary": "off" } } }), KINDS),
            (
                json!({ "tenant": { "acme": { "email": 1 } } }),
                "reject, seal, off",
            ),
            (json!({ "tenant": { "": {} } }), "1 to 128"),
            (json!({ "tenant": { "canary corp": {} } }), "1 to 128"),
            (json!({ "tenant": { "a".repeat(129): {} } }), "1 to 128"),
            (
                json!({ "tenant": { "canary@example.com": {} } }),
                "1 to 128",
            ),
            (
                json!({ "tenant": { "4111111111111111": {} } }),
                "personal data",
            ),
        ] {
            let error = read(given.clone()).unwrap_err().to_string();
            assert!(error.contains(part), "{given}: {error}");
            assert!(!error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn what_is_stored_is_read_whatever_the_names_of_its_tenants_look_like() {
        let document = json!({ "tenant": { "4111111111111111": { "email": "seal" } } });
        read(document.clone()).unwrap_err();
        let policy = read_stored(Some(&document.to_string())).unwrap();
        assert_eq!(describe(&policy)["tenant"], document["tenant"]);
        for other in [
            json!([]),
            json!({ "tenant": { "a b": {} } }),
            json!({ "default": { "email": "on" } }),
        ] {
            assert_eq!(
                read_stored(Some(&other.to_string())).unwrap_err(),
                read(other).unwrap_err()
            );
        }
    }

    #[test]
    fn a_text_is_refused_with_the_line() {
        for (text, line) in [
            ("", "line 1"),
            ("{\n\"default\": {\n}", "line 3"),
            ("{\n\"default\": {},\n\"default\": {}}", "line 3"),
            (
                "{\n\"default\": {\n\"mail\": \"off\"}}",
                "line 3: there is a kind",
            ),
            (
                "{\"tenant\": {\n\"a\": {}, \"b\": {\n\"email\":\n\"on\"}}}",
                "line 4: what is done",
            ),
            ("{\"tenant\":\n\n{\"a b\": {}}}", "line 3: the name"),
            ("\n[]", "line 1: the policy must be"),
        ] {
            let error = read_text(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(line), "{text:?}: {error}");
        }
    }
}

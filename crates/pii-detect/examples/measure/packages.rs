//! What others wrote: read from the folder that `scripts/corpora` makes.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

use portcullis_pii_detect::{Detector, Kind};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::corpus::{Column, Corpus, Measured, Purpose, Text};

/// An example number in every spelling.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Phone {
    pub(crate) e164: String,
    pub(crate) international: String,
    pub(crate) rfc3966: String,
    pub(crate) national: String,
}

#[derive(Debug, Deserialize)]
struct Line {
    text: String,
    #[serde(default)]
    kind: String,
}

#[derive(Debug, Deserialize)]
struct Webhook {
    event: String,
    payload: Value,
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Has the corpora made; those that are there stay.
pub(crate) fn make() -> io::Result<()> {
    let made = Command::new(workspace().join("scripts/corpora")).status()?;
    if made.success() {
        Ok(())
    } else {
        Err(io::Error::other("scripts/corpora failed"))
    }
}

fn lines<T: DeserializeOwned>(corpus: &str) -> Vec<T> {
    let path = workspace().join(format!("target/corpora/{corpus}.jsonl"));
    let text = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}: run scripts/corpora", path.display()));
    text.lines()
        .map(|line| serde_json::from_str(line).expect("scripts/corpora writes JSON lines"))
        .collect()
}

pub(crate) fn phones() -> Vec<Phone> {
    lines("phones")
}

pub(crate) fn identified() -> Vec<Text> {
    let lines = lines::<Line>("identified").into_iter();
    lines
        .map(|line| {
            let column = match line.kind.as_str() {
                "email" => Column::Email,
                "payment_card" => Column::Card,
                "cpf" => Column::Cpf,
                "cnpj" => Column::Cnpj,
                "us_ssn" => Column::Ssn,
                "bank_account" => Column::Iban,
                other => panic!("scripts/corpora writes an unknown kind `{other}`"),
            };
            Text::guilty(column, "", "", &line.text, "")
        })
        .collect()
}

pub(crate) fn innocent() -> Vec<Corpus> {
    [
        ("names, addresses, companies in 32 locales", "people"),
        ("user agents", "user-agents"),
        ("user agents of Faker", "made-up-agents"),
        ("Big List of Naughty Strings", "naughty"),
    ]
    .into_iter()
    .map(|(name, file)| {
        let lines = lines::<Line>(file).into_iter();
        Corpus::innocent(
            name,
            lines.map(|line| Text::innocent("", line.text)).collect(),
        )
    })
    .collect()
}

/// Every string, number and key of the payloads: the events in which something is found that is no
/// address, and how many of the addresses in them are found. Each counts once.
pub(crate) fn webhooks(detector: &Detector) -> [Measured; 2] {
    let webhooks = lines::<Webhook>("webhooks");
    let purpose = Purpose::FalseAlarms { target: Some(0.0) };
    let mut alarms = Measured::new("GitHub webhooks, addresses apart", purpose, webhooks.len());
    let (mut there, mut found) = (BTreeSet::new(), BTreeSet::new());
    for Webhook { event, payload } in &webhooks {
        let mut wrong = Vec::new();
        let mut leaves = Vec::new();
        collect("", payload, &mut leaves);
        for (name, text) in &leaves {
            there.extend(
                words(text)
                    .filter(|word| is_address(word))
                    .map(str::to_owned),
            );
            for finding in detector.find_named(name, text) {
                let value = &text[finding.range.clone()];
                if finding.kind == Kind::Email && is_address(value) {
                    found.insert(value.to_owned());
                } else {
                    let rule = finding.rule;
                    alarms
                        .wrong
                        .push(format!("{event}\t{name:?}\t{text:?}\t{rule}:{value:?}"));
                    wrong.push(finding);
                }
            }
        }
        alarms.alarm(&wrong.iter().collect::<Vec<_>>());
    }
    let purpose = Purpose::Recall { target: Some(99.5) };
    let mut recall = Measured::new("addresses in GitHub webhooks", purpose, there.len());
    let both = there.intersection(&found).count();
    recall.recall.insert(Column::Email, (both, there.len()));
    recall.wrong.extend(there.difference(&found).cloned());
    [alarms, recall]
}

/// What stands between what can stand in no address. `…[bot]@…` is none by RFC 5322 and `account@host:path`
/// is a remote: both may be found, and need not be.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let outside = |c: char| c.is_whitespace() || "<>()[]\"',;".contains(c);
    let words = text
        .split(outside)
        .map(|word| word.trim_end_matches([':', '.']));
    words.filter(|word| !word.contains(':'))
}

fn collect(name: &str, value: &Value, leaves: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) => leaves.push((name.to_owned(), text.clone())),
        Value::Number(number) => leaves.push((name.to_owned(), number.to_string())),
        Value::Array(values) => values.iter().for_each(|value| collect(name, value, leaves)),
        Value::Object(fields) => {
            for (key, value) in fields {
                leaves.push((String::new(), key.clone()));
                collect(key, value, leaves);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

/// Whether a finding is the address of a person or of a role: not the account of a remote.
fn is_address(found: &str) -> bool {
    let Some((local, domain)) = found.rsplit_once('@') else {
        return false;
    };
    let in_local = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.[]".contains(c);
    let label =
        |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
    local != "git"
        && !local.is_empty()
        && local.chars().all(in_local)
        && domain.split('.').count() >= 2
        && domain.split('.').all(label)
        && domain
            .rsplit('.')
            .next()
            .is_some_and(|top| !top.contains(|c: char| c.is_ascii_digit()))
}

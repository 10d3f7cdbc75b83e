//! Who holds the key-encryption keys, and which of its keys wraps.

use std::fmt;

use super::{
    given::Given, origin::Origin, problems::Problems, setting::Setting, settings, sources::Sources,
};

/// Who holds the key-encryption keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KekSource {
    /// This process, which reads them as it reads its other secrets.
    Local,
    AwsKms(KmsKeys),
    Vault(TransitKey),
}

/// Keys of AWS KMS, by ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KmsKeys {
    /// Wraps.
    pub(crate) key: String,
    /// Have wrapped, and unwrap for as long as they stand here.
    pub(crate) old_keys: Vec<String>,
}

/// A key of Vault's transit engine, in all its versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TransitKey {
    pub(crate) mount: String,
    pub(crate) key: String,
}

/// The choices beside `local`, each the name of its cargo feature.
const AWS_KMS: &str = "aws-kms";
const VAULT: &str = "vault";

/// Longer than any ARN or path.
const MAX_CHARS: usize = 512;

impl KekSource {
    /// As a label.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::AwsKms(_) => AWS_KMS,
            Self::Vault(_) => VAULT,
        }
    }
}

/// For people: where the keys are, and which one wraps.
impl fmt::Display for KekSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => write!(f, "in this process"),
            Self::AwsKms(KmsKeys { key, old_keys }) => {
                write!(f, "in AWS KMS, {key} and {} old ones", old_keys.len())
            }
            Self::Vault(TransitKey { mount, key }) => write!(f, "in Vault, {mount}/{key}"),
        }
    }
}

pub(super) fn read(sources: &Sources, problems: &mut Problems) -> Option<KekSource> {
    let given = sources.value(settings::KEK_PROVIDER)?;
    let provider = given.text.as_str();
    let depends = [
        (settings::KMS_KEY, AWS_KMS),
        (settings::KMS_OLD_KEYS, AWS_KMS),
        (settings::VAULT_TRANSIT_KEY, VAULT),
        (settings::VAULT_TRANSIT_MOUNT, VAULT),
    ];
    for (setting, needed) in depends.into_iter().filter(|(_, it)| *it != provider) {
        if let Some(Given { origin, .. }) = sources.given(setting) {
            let provider = settings::KEK_PROVIDER.variable;
            let message = format!("needs {provider}={needed}, and changes nothing without");
            problems.add(&origin, message);
        }
    }
    match provider {
        "local" => Some(KekSource::Local),
        AWS_KMS if has_feature(AWS_KMS, &given.origin, problems) => {
            let key = required(sources, settings::KMS_KEY, provider, problems);
            let old_keys = old_keys(sources, problems);
            Some(KekSource::AwsKms(KmsKeys {
                key: key?,
                old_keys: old_keys?,
            }))
        }
        VAULT if has_feature(VAULT, &given.origin, problems) => {
            let key = required(sources, settings::VAULT_TRANSIT_KEY, provider, problems);
            let mount = required(sources, settings::VAULT_TRANSIT_MOUNT, provider, problems);
            Some(KekSource::Vault(TransitKey {
                mount: mount?,
                key: key?,
            }))
        }
        AWS_KMS | VAULT => None,
        _ => {
            let choices = format!("must be `local`, `{AWS_KMS}` or `{VAULT}`");
            problems.add(&given.origin, choices);
            None
        }
    }
}

/// Whether this build contains what a choice needs; that it does not is told.
pub(super) fn has_feature(feature: &str, origin: &Origin, problems: &mut Problems) -> bool {
    let is_there = match feature {
        AWS_KMS => cfg!(feature = "aws-kms"),
        _ => cfg!(feature = "vault"),
    };
    if !is_there {
        let message =
            format!("needs the cargo feature `{feature}`, which this build does not contain");
        problems.add(origin, message);
    }
    is_there
}

fn required(
    sources: &Sources,
    setting: &Setting,
    provider: &str,
    problems: &mut Problems,
) -> Option<String> {
    let Some(Given { text, origin }) = sources.value(setting) else {
        let message = format!(
            "is missing; {}={provider} needs it",
            settings::KEK_PROVIDER.variable
        );
        problems.add_variable(setting.variable, message);
        return None;
    };
    name(&text, &origin, problems)
}

fn old_keys(sources: &Sources, problems: &mut Problems) -> Option<Vec<String>> {
    let Some(Given { text, origin }) = sources.value(settings::KMS_OLD_KEYS) else {
        return Some(Vec::new());
    };
    text.split(',')
        .map(|key| name(key.trim(), &origin, problems))
        .collect()
}

/// The name of a key or of what it lies in.
pub(super) fn name(text: &str, origin: &Origin, problems: &mut Problems) -> Option<String> {
    let is_name = !text.is_empty()
        && text.len() <= MAX_CHARS
        && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_name {
        let message = format!("must be names of printable ASCII, at most {MAX_CHARS} characters");
        problems.add(origin, message);
    }
    is_name.then(|| text.to_owned())
}

//! Who holds the key-encryption keys, and which of its keys wraps.

use std::{fmt, iter};

use super::{
    given::Given, origin::Origin, problems::Problems, setting::Setting, settings, sources::Sources,
};

/// Everybody who holds key-encryption keys. One wraps, and each unwraps what it has wrapped: while data keys move
/// from one to another there are two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KekSources {
    pub(crate) wraps: KekSource,
    pub(crate) others: Vec<KekSource>,
}

/// Who holds some of the key-encryption keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KekSource {
    /// This process, which reads them as it reads its other secrets.
    Local,
    AwsKms(KmsKeys),
    Vault(TransitKey),
}

/// Keys of AWS KMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KmsKeys {
    /// Wraps; by ARN or alias.
    pub(crate) key: String,
    /// By ARN; have wrapped, and unwrap for as long as they stand here.
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

impl KekSources {
    /// The one that wraps first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &KekSource> {
        iter::once(&self.wraps).chain(&self.others)
    }

    /// Whether this process holds some.
    pub(crate) fn has_local(&self) -> bool {
        self.all().any(|source| *source == KekSource::Local)
    }
}

/// For people.
impl fmt::Display for KekSources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.wraps)?;
        for other in &self.others {
            write!(f, "; what was wrapped elsewhere is unwrapped {other}")?;
        }
        Ok(())
    }
}

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

pub(super) fn read(sources: &Sources, problems: &mut Problems) -> Option<KekSources> {
    let wraps = sources.value(settings::KEK_PROVIDER)?;
    let others = sources.value(settings::KEK_OTHER_PROVIDERS);
    let names = others.iter().flat_map(|given| given.text.split(','));
    let names: Vec<&str> = names.map(str::trim).collect();
    let is_asked = |provider: &str| wraps.text == provider || names.contains(&provider);
    let depends = [
        (settings::KMS_KEY, AWS_KMS),
        (settings::KMS_OLD_KEYS, AWS_KMS),
        (settings::VAULT_TRANSIT_KEY, VAULT),
        (settings::VAULT_TRANSIT_MOUNT, VAULT),
    ];
    for (setting, needed) in depends.into_iter().filter(|(_, it)| !is_asked(it)) {
        if let Some(Given { origin, .. }) = sources.given(setting) {
            let provider = settings::KEK_PROVIDER.variable;
            let message = format!("needs {provider}={needed}, and changes nothing without");
            problems.add(&origin, message);
        }
    }
    let mut asked = vec![wraps.text.as_str()];
    let first = one(
        &wraps.text,
        settings::KEK_PROVIDER,
        &wraps.origin,
        sources,
        problems,
    );
    let mut read = Some(Vec::new());
    if let Some(Given { origin, .. }) = &others {
        for name in &names {
            if asked.contains(name) {
                problems.add(origin, "names a provider twice, or the one that wraps");
                return None;
            }
            asked.push(name);
            let other = one(
                name,
                settings::KEK_OTHER_PROVIDERS,
                origin,
                sources,
                problems,
            );
            read = read.zip(other).map(|(mut read, other)| {
                read.push(other);
                read
            });
        }
    }
    Some(KekSources {
        wraps: first?,
        others: read?,
    })
}

/// A provider that a setting asks for.
fn one(
    provider: &str,
    asks: &Setting,
    origin: &Origin,
    sources: &Sources,
    problems: &mut Problems,
) -> Option<KekSource> {
    let required = |setting: &Setting, problems: &mut Problems| {
        let given = sources.value(setting);
        if given.is_none() {
            let message = format!("is missing; {}={provider} needs it", asks.variable);
            problems.add_variable(setting.variable, message);
        }
        let Given { text, origin } = given?;
        name(&text, &origin, problems)
    };
    match provider {
        "local" => Some(KekSource::Local),
        AWS_KMS if has_feature(AWS_KMS, origin, problems) => {
            let key = required(settings::KMS_KEY, problems);
            let old_keys = old_keys(sources, problems);
            Some(KekSource::AwsKms(KmsKeys {
                key: key?,
                old_keys: old_keys?,
            }))
        }
        VAULT if has_feature(VAULT, origin, problems) => {
            let key = required(settings::VAULT_TRANSIT_KEY, problems);
            let mount = required(settings::VAULT_TRANSIT_MOUNT, problems);
            Some(KekSource::Vault(TransitKey {
                mount: mount?,
                key: key?,
            }))
        }
        AWS_KMS | VAULT => None,
        _ => {
            let choices = format!("must be `local`, `{AWS_KMS}` or `{VAULT}`");
            problems.add(origin, choices);
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

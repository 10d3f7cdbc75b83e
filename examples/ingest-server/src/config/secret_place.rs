//! What holds the secrets, and how often it is asked again.

use std::{fmt, time::Duration};

use super::{given::Given, kek_source, problems::Problems, settings, sources::Sources};

/// What holds the secrets, where that is not the environment: one object of texts, each under the name of the
/// variable that it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SecretPlace {
    /// An entry of version 2 of Vault's KV engine.
    Vault { mount: String, path: String },
    /// A secret in AWS Secrets Manager.
    Aws { id: String },
}

/// The longest time from one look to the next: a day.
const MAX_REFRESH: u64 = 24 * 60 * 60;

impl fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vault { mount, path } => write!(f, "{mount}/{path} of Vault"),
            Self::Aws { id } => write!(f, "{id} of AWS Secrets Manager"),
        }
    }
}

pub(super) fn read(sources: &Sources, problems: &mut Problems) -> Option<SecretPlace> {
    let Given { text, origin } = sources.value(settings::SECRETS)?;
    let path = sources.value(settings::SECRETS_PATH);
    if let Some(path) = path
        .as_ref()
        .filter(|_| !matches!(text.as_str(), "vault" | "aws"))
    {
        let needed = settings::SECRETS.variable;
        let message = format!("needs {needed}=vault or aws, and changes nothing without");
        problems.add(&path.origin, message);
    }
    match (text.as_str(), path) {
        ("env", _) => None,
        ("vault", path) if kek_source::has_feature("vault", &origin, problems) => {
            let Given { text, origin } = required(path, &text, problems)?;
            let text = kek_source::name(&text, &origin, problems)?;
            match text.split_once('/') {
                Some((mount, path)) if !mount.is_empty() && !path.is_empty() => {
                    Some(SecretPlace::Vault {
                        mount: mount.to_owned(),
                        path: path.to_owned(),
                    })
                }
                _ => {
                    let expected = "must be the mount of a KV engine and the path of an entry in it, such \
                                    as `secret/ingest`";
                    problems.add(&origin, expected);
                    None
                }
            }
        }
        ("aws", path) if kek_source::has_feature("aws-kms", &origin, problems) => {
            let Given { text, origin } = required(path, &text, problems)?;
            let id = kek_source::name(&text, &origin, problems)?;
            Some(SecretPlace::Aws { id })
        }
        ("vault" | "aws", _) => None,
        _ => {
            problems.add(&origin, "must be `env`, `vault` or `aws`");
            None
        }
    }
}

/// From one look to the next, on average.
pub(super) fn refresh(sources: &Sources, problems: &mut Problems) -> Option<Duration> {
    let given = sources.value(settings::SECRETS_REFRESH)?;
    let expected = format!("a whole number of seconds, 1 to {MAX_REFRESH}");
    let seconds: u64 = given.parse(&expected, problems)?;
    if (1..=MAX_REFRESH).contains(&seconds) {
        return Some(Duration::from_secs(seconds));
    }
    problems.add(&given.origin, format!("must be {expected}"));
    None
}

fn required(path: Option<Given>, place: &str, problems: &mut Problems) -> Option<Given> {
    if path.is_none() {
        let message = format!(
            "is missing; {}={place} needs it",
            settings::SECRETS.variable
        );
        problems.add_variable(settings::SECRETS_PATH.variable, message);
    }
    path
}

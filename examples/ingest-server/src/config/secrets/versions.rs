//! `1:<base64 32 bytes>,2:<…>`; with more than one, `…_PRIMARY` names the one in use.

use portcullis_versioned_secrets::{ParseFault, SecretVersion, VersionedSecrets};
use secrecy::ExposeSecret as _;

use super::text;
use crate::config::{
    given::Given, origin::Origin, problems::Problems, setting::Setting, sources::Sources,
};

pub(super) fn read(
    sources: &Sources,
    setting: &Setting,
    highest: u32,
    problems: &mut Problems,
) -> Option<Given<VersionedSecrets>> {
    let Given { text, origin } = text::required(sources, setting, problems)?;
    let primary_variable = setting.primary_variable();
    let given = text::primary(sources, setting, problems);
    let primary_origin = given.as_ref().map_or_else(
        || Origin::Variable(primary_variable.clone()),
        |given| given.origin.clone(),
    );
    let no_version = format!("names no version of {}", setting.variable);
    // EXPOSE: a number is no secret.
    let primary = given.as_ref().map(|given| given.text.expose_secret());
    let primary: Option<SecretVersion> = primary.and_then(|text| text.parse().ok());
    if primary.is_none() && given.is_some() {
        problems.add(&primary_origin, no_version.as_str());
    }
    let secrets = match VersionedSecrets::parse(&text, primary) {
        Ok(secrets) => secrets,
        Err(error) => {
            for fault in error.faults() {
                match fault {
                    ParseFault::PrimaryMissing(_) => {
                        problems.add(&primary_origin, no_version.as_str());
                    }
                    ParseFault::PrimaryRequired if given.is_some() => {}
                    ParseFault::PrimaryRequired => {
                        problems.add(&primary_origin, "is required with more than one version")
                    }
                    fault => problems.add(&origin, fault.to_string()),
                }
            }
            return None;
        }
    };
    refuse_high(&secrets, highest, &origin, problems);
    let text = secrets;
    Some(Given { text, origin })
}

/// Whether there are none.
pub(super) fn refuse_high(
    secrets: &VersionedSecrets,
    highest: u32,
    origin: &Origin,
    problems: &mut Problems,
) -> bool {
    let mut are_low = true;
    for version in secrets.versions().filter(|it| it.value() > highest) {
        let message = format!("version {version} is too high; the highest is {highest}");
        problems.add(origin, message);
        are_low = false;
    }
    are_low
}

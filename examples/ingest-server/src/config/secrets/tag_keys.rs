//! `PORTCULLIS_KID_TAG_KEYS`: what is left of peppers that were dropped.

use portcullis_apikey_cache::Peppers;
use portcullis_versioned_secrets::{ParseFault, SecretVersion, VersionedSecrets};
use secrecy::{ExposeSecret as _, SecretString};

use super::{text::optional, versions::refuse_high};
use crate::config::{given::Given, problems::Problems, settings, sources::Sources};

/// Versions up to [`u16::MAX`], none of which contradicts a pepper; none where nothing is set.
pub(super) fn read(
    sources: &Sources,
    peppers: Option<&VersionedSecrets>,
    problems: &mut Problems,
) -> Option<Given<VersionedSecrets>> {
    let Given { text, origin } = optional(sources, settings::KID_TAG_KEYS, problems)?;
    let keys = match VersionedSecrets::parse(&text, first_version(&text)) {
        Ok(keys) => keys,
        Err(error) => {
            let is_of_this_set = |fault: &&ParseFault| {
                !matches!(
                    fault,
                    ParseFault::PrimaryMissing(_) | ParseFault::PrimaryRequired
                )
            };
            for fault in error.faults().iter().filter(is_of_this_set) {
                problems.add(&origin, fault.to_string());
            }
            return None;
        }
    };
    if !refuse_high(&keys, u16::MAX.into(), &origin, problems) {
        return None;
    }
    let peppers = peppers.and_then(|peppers| Peppers::new(peppers.clone()).ok());
    if let Some(peppers) = peppers
        && let Err(error) = super::with_tag_keys(peppers, &keys)
    {
        problems.add(&origin, error.to_string());
        return None;
    }
    let text = keys;
    Some(Given { text, origin })
}

/// A set has a primary version, and of these none is: the first is taken for it.
fn first_version(text: &SecretString) -> Option<SecretVersion> {
    // EXPOSE: what stands before the first secret is its version.
    let (version, _) = text.expose_secret().split_once(':')?;
    version.trim().parse().ok()
}

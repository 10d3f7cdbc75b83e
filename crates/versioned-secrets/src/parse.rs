//! Secrets as an operator writes them: `1:<base64 of 32 bytes>,2:<…>`.

use std::{collections::BTreeMap, fmt};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use zeroize::Zeroizing;

use crate::{SecretVersion, VersionedSecrets, set::find_same};

/// Everything that is wrong with a text, at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    faults: Vec<ParseFault>,
}

/// One thing that is wrong. Its text names the place and never the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseFault {
    /// An entry has another form. Entries count from 1.
    #[error("entry {entry} must be `<version>:<base64 of 32 bytes>`")]
    Malformed {
        /// Its number, from 1.
        entry: usize,
    },
    /// An entry has the version of an earlier one.
    #[error("entry {entry} repeats version {version}")]
    RepeatedVersion {
        /// Its number, from 1.
        entry: usize,
        /// The version that is there already.
        version: SecretVersion,
    },
    /// An entry has the secret of an earlier one.
    #[error("entry {entry} is the same secret as version {other}; make a new one for each version")]
    SameSecret {
        /// Its number, from 1.
        entry: usize,
        /// The version that has the secret already.
        other: SecretVersion,
    },
    /// There are several versions, and none is named primary.
    #[error("names several versions; say which one is primary")]
    PrimaryRequired,
    /// The primary version is none of those given.
    #[error("has no version {0}, which is to be primary")]
    PrimaryMissing(SecretVersion),
}

impl ParseError {
    /// What is wrong, in the order of the text; never empty.
    #[must_use]
    pub fn faults(&self) -> &[ParseFault] {
        &self.faults
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ParseError {}

impl VersionedSecrets {
    /// Reads `1:<base64 of 32 bytes>,2:<…>`: versions are decimal numbers from 1, base64 is the
    /// standard alphabet with padding, blanks around entries are ignored. With one version,
    /// `primary` may be left out.
    ///
    /// # Errors
    /// [`ParseError`] lists every fault by its entry; no text of it holds a part of a secret.
    pub fn parse(text: &SecretString, primary: Option<SecretVersion>) -> Result<Self, ParseError> {
        let mut known = BTreeMap::new();
        let mut faults = Vec::new();
        // EXPOSE: read once, into buffers that are wiped.
        for (index, text) in text.expose_secret().split(',').enumerate() {
            let entry = index + 1;
            match parse_entry(text.trim()) {
                None => faults.push(ParseFault::Malformed { entry }),
                Some((version, _)) if known.contains_key(&version) => {
                    faults.push(ParseFault::RepeatedVersion { entry, version });
                }
                Some((version, secret)) => {
                    if let Some(other) = find_same(&known, &secret) {
                        faults.push(ParseFault::SameSecret { entry, other });
                    }
                    known.insert(version, secret);
                }
            }
        }
        let primary = match primary {
            Some(version) if known.contains_key(&version) => Some(version),
            Some(version) => {
                faults.push(ParseFault::PrimaryMissing(version));
                None
            }
            None if known.len() > 1 => {
                faults.push(ParseFault::PrimaryRequired);
                None
            }
            None => known.keys().next().copied(),
        };
        match primary {
            Some(primary) if faults.is_empty() => Ok(Self::of_distinct(primary, known)),
            _ => Err(ParseError { faults }),
        }
    }
}

fn parse_entry(entry: &str) -> Option<(SecretVersion, SecretBox<[u8; 32]>)> {
    let (version, encoded) = entry.split_once(':')?;
    let bytes = Zeroizing::new(STANDARD.decode(encoded).ok()?);
    let bytes: &[u8; 32] = bytes.as_slice().try_into().ok()?;
    let secret = SecretBox::init_with_mut(|secret: &mut [u8; 32]| secret.copy_from_slice(bytes));
    Some((version.parse().ok()?, secret))
}

#[cfg(test)]
mod tests;

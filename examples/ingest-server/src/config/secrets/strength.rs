//! What production asks of its secrets: random ones, each for one purpose, known to nobody else.

mod encoded;
mod known;
mod pattern;
mod related;
mod token;
mod words;

use portcullis_versioned_secrets::{SecretVersion, VersionedSecrets};
use secrecy::{ExposeSecret as _, SecretString};

use self::{known::Known, related::Relation};
use crate::config::{
    given::Given,
    origin::Origin,
    problems::{Problems, Severity},
};

type Key = [u8; 32];

/// A key that is given, and where.
struct GivenKey<'a> {
    origin: &'a Origin,
    version: SecretVersion,
    key: &'a Key,
    /// It is told of where it stands, and is gone when that is set right.
    is_weak: bool,
}

/// Finds weak secrets, one secret in two given, and a token with a key in it. A derived key is as random as
/// what it was derived from, and nobody can draw it again: it is only to be no other secret, and in no token.
pub(super) fn check<'a>(
    token: Option<&'a Given<SecretString>>,
    drawn: impl IntoIterator<Item = &'a Given<VersionedSecrets>>,
    derived: Option<&'a Given<VersionedSecrets>>,
    danger: Severity,
    problems: &mut Problems,
) {
    let known = Known::tables();
    let mut given: Vec<GivenKey<'_>> = Vec::new();
    let drawn = drawn.into_iter().map(|set| (set, true));
    for (Given { text, origin }, is_drawn) in drawn.chain(derived.map(|set| (set, false))) {
        for (version, key) in text.iter() {
            // EXPOSE: the check of its strength.
            let key = key.expose_secret();
            let mut add = |message| problems.add_as(danger, origin, message);
            let reason = if known.has(key) {
                Some("it is a known one")
            } else {
                pattern::weakness(key)
            };
            let reason = reason.filter(|_| is_drawn);
            if let Some(reason) = reason {
                add(format!(
                    "version {version} is weak: {reason}; take 32 random bytes"
                ));
            }
            for other in &given {
                let (number, holder) = (other.version, other.origin);
                match related::relation(key, other.key) {
                    Some(Relation::Equal) => {
                        add(format!("version {version} equals a secret in {holder}"));
                    }
                    Some(Relation::Derived) => add(format!(
                        "version {version} follows from version {number} in {holder}; take 32 \
                         random bytes of its own"
                    )),
                    None => {}
                }
            }
            given.push(GivenKey {
                origin,
                version,
                key,
                is_weak: reason.is_some(),
            });
        }
    }
    if let Some(Given { text, origin }) = token {
        // EXPOSE: the check of the token's strength.
        let token = text.expose_secret();
        // Many a good token has a part of a key without a pattern of its own in some spelling.
        let keys = given.iter().filter(|key| !key.is_weak);
        let keys = keys.map(|key| (key.origin, key.key));
        for message in token::weaknesses(token, keys, known) {
            problems.add_as(danger, origin, message);
        }
    }
}

#[cfg(test)]
mod tests;

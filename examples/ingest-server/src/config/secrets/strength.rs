//! What production asks of its secrets: random ones, each for one purpose.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use portcullis_versioned_secrets::VersionedSecrets;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::config::{given::Given, origin::Origin, problems::Problems};

const MIN_TOKEN_CHARS: usize = 32;
/// 32 random bytes have about 30 distinct values; fewer than 16 happens once in 10^14.
const MIN_DISTINCT_BYTES: usize = 16;
/// 32 random characters have about 14 distinct ones in hex and more in base64.
const MIN_DISTINCT_CHARS: usize = 8;

/// Refuses weak secrets, one secret in two places, and a token with a key in it.
pub(super) fn check<'a>(
    token: Option<&Given<SecretString>>,
    sets: impl IntoIterator<Item = &'a Given<VersionedSecrets>>,
    problems: &mut Problems,
) {
    let mut seen: Vec<(&Origin, &[u8; 32])> = Vec::new();
    for Given { text, origin } in sets {
        for (version, key) in text.iter() {
            // EXPOSE: the check of its strength.
            let key = key.expose_secret();
            if count_distinct(key) < MIN_DISTINCT_BYTES {
                let message = format!("version {version} is weak; take 32 random bytes");
                problems.add(origin, message);
            }
            let same = seen
                .iter()
                .find(|(_, other)| bool::from(other.ct_eq(key.as_slice())));
            if let Some((other, _)) = same {
                let message = format!("version {version} equals a secret in {other}");
                problems.add(origin, message);
            }
            seen.push((origin, key));
        }
    }
    if let Some(token) = token {
        check_token(token, &seen, problems);
    }
}

/// A token goes over the wire with every request, so that one with a key in it gives the key away.
fn check_token(
    Given { text, origin }: &Given<SecretString>,
    keys: &[(&Origin, &[u8; 32])],
    problems: &mut Problems,
) {
    // EXPOSE: the check of the token's strength.
    let token = text.expose_secret();
    if token.len() < MIN_TOKEN_CHARS || count_distinct(token.as_bytes()) < MIN_DISTINCT_CHARS {
        let message = format!("is weak; take at least {MIN_TOKEN_CHARS} random characters");
        problems.add(origin, message);
    }
    let contains = |key: &[u8; 32]| {
        let spellings = [STANDARD_NO_PAD, URL_SAFE_NO_PAD];
        spellings
            .iter()
            .any(|base64| token.contains(Zeroizing::new(base64.encode(key)).as_str()))
    };
    if let Some((holder, _)) = keys.iter().find(|(_, key)| contains(key)) {
        problems.add(origin, format!("contains a secret of {holder}"));
    }
}

fn count_distinct(bytes: &[u8]) -> usize {
    let mut seen = [false; 256];
    bytes
        .iter()
        .for_each(|byte| seen[usize::from(*byte)] = true);
    seen.iter().filter(|seen| **seen).count()
}

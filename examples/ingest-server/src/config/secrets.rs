//! The secrets: an admin token and three sets of versioned 256-bit keys.

use std::{collections::BTreeMap, fs};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use zeroize::Zeroizing;

use super::{Profile, Sources, problems::Problems};

pub(crate) const ADMIN_TOKEN: &str = "INGEST_ADMIN_TOKEN";
pub(crate) const KEKS: &str = "PORTCULLIS_KEKS";
pub(crate) const INDEX_ROOTS: &str = "PORTCULLIS_INDEX_ROOTS";
pub(crate) const KEY_PEPPERS: &str = "PORTCULLIS_KEY_PEPPERS";

/// Every variable that holds a secret.
pub(crate) const SECRET_VARIABLES: [&str; 4] = [ADMIN_TOKEN, KEKS, INDEX_ROOTS, KEY_PEPPERS];

const MIN_TOKEN_CHARS: usize = 32;
/// 32 random bytes have about 30 distinct values; fewer than 16 happens once in 10^14.
const MIN_DISTINCT_BYTES: usize = 16;
/// 32 random characters have about 14 distinct ones in hex and more in base64.
const MIN_DISTINCT_CHARS: usize = 8;

/// All secrets of the process.
#[derive(Debug)]
pub(crate) struct Secrets {
    pub(crate) admin_token: AdminToken,
    pub(crate) keks: VersionedSecret<u32>,
    pub(crate) index_roots: VersionedSecret<u16>,
    pub(crate) key_peppers: VersionedSecret<u16>,
}

/// The bearer token of the admin listener.
pub(crate) struct AdminToken(Zeroizing<String>);

/// 256-bit secrets by version, one of them used for what is written now.
pub(crate) struct VersionedSecret<V> {
    pub(crate) primary: V,
    pub(crate) versions: BTreeMap<V, Zeroizing<[u8; 32]>>,
}

// === impl AdminToken ===

impl AdminToken {
    /// Whether `candidate` is the token, in constant time for equal lengths.
    pub(crate) fn matches(&self, candidate: &[u8]) -> bool {
        use subtle::ConstantTimeEq as _;
        // EXPOSE: the only comparison of the token.
        self.0.as_bytes().ct_eq(candidate).into()
    }

    /// The token's text, for the dev profile to show on the terminal.
    pub(crate) fn expose(&self) -> &str {
        // EXPOSE: the caller's reason.
        &self.0
    }
}

impl std::fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdminToken").finish_non_exhaustive()
    }
}

impl<V: std::fmt::Debug> std::fmt::Debug for VersionedSecret<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VersionedSecret")
            .field("primary", &self.primary)
            .field("versions", &self.versions.keys())
            .finish_non_exhaustive()
    }
}

// === reading ===

pub(super) fn read(
    sources: &Sources,
    profile: Profile,
    problems: &mut Problems,
) -> Option<Secrets> {
    let admin_token = read_token(sources, problems);
    let keks = read_versions::<u32>(sources, KEKS, problems);
    let index_roots = read_versions::<u16>(sources, INDEX_ROOTS, problems);
    let key_peppers = read_versions::<u16>(sources, KEY_PEPPERS, problems);
    if profile == Profile::Production {
        let mut seen: Vec<(&str, &[u8; 32])> = Vec::new();
        refuse_weak(KEKS, keks.as_ref(), &mut seen, problems);
        refuse_weak(INDEX_ROOTS, index_roots.as_ref(), &mut seen, problems);
        refuse_weak(KEY_PEPPERS, key_peppers.as_ref(), &mut seen, problems);
        if let Some(token) = &admin_token {
            refuse_weak_token(token, &seen, problems);
        }
    }
    Some(Secrets {
        admin_token: admin_token?,
        keks: keks?,
        index_roots: index_roots?,
        key_peppers: key_peppers?,
    })
}

fn read_token(sources: &Sources, problems: &mut Problems) -> Option<AdminToken> {
    let token = read_text(sources, ADMIN_TOKEN, problems)?;
    if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        problems.add(ADMIN_TOKEN, "must be printable ASCII without spaces");
    }
    Some(AdminToken(token))
}

/// The text of a secret, from the variable itself or from the file that `…_FILE` names.
fn read_text(
    sources: &Sources,
    variable: &str,
    problems: &mut Problems,
) -> Option<Zeroizing<String>> {
    let file_variable = format!("{variable}_FILE");
    match (sources.secret(variable), sources.value(&file_variable)) {
        (Some(_), Some(_)) if sources.value(variable).is_some() => {
            problems.add(
                variable,
                format!("is set, and {file_variable} too; keep one"),
            );
            None
        }
        (_, Some(path)) => match fs::read_to_string(path) {
            Ok(text) if !text.trim().is_empty() => {
                let text = Zeroizing::new(text);
                Some(Zeroizing::new(text.trim().to_owned()))
            }
            Ok(_) => {
                problems.add(&file_variable, "names an empty file");
                None
            }
            Err(error) => {
                problems.add(
                    &file_variable,
                    format!("names a file that cannot be read: {}", error.kind()),
                );
                None
            }
        },
        (Some(text), None) => Some(text),
        (None, None) => {
            problems.add(variable, format!("is missing; set it or {file_variable}"));
            None
        }
    }
}

/// `1:<base64 32 bytes>,2:<…>`; with more than one, `…_PRIMARY` names the one in use.
fn read_versions<V>(
    sources: &Sources,
    variable: &str,
    problems: &mut Problems,
) -> Option<VersionedSecret<V>>
where
    V: std::str::FromStr + Ord + Copy + Default,
{
    let text = read_text(sources, variable, problems)?;
    let mut versions = BTreeMap::new();
    for (index, entry) in text.split(',').enumerate() {
        match parse_entry::<V>(entry.trim()) {
            Some((version, _)) if versions.contains_key(&version) => {
                problems.add(variable, format!("entry {} repeats a version", index + 1));
            }
            Some((version, key)) => {
                versions.insert(version, key);
            }
            None => problems.add(
                variable,
                format!(
                    "entry {} must be `<version>:<base64 of 32 bytes>`",
                    index + 1
                ),
            ),
        }
    }
    let primary_variable = format!("{variable}_PRIMARY");
    let primary = match (sources.value(&primary_variable), versions.len()) {
        (None, 1) => versions.keys().next().copied(),
        (None, 0) => None,
        (None, _) => {
            problems.add(&primary_variable, "is required with more than one version");
            None
        }
        (Some(text), _) => {
            let named = text
                .parse()
                .ok()
                .filter(|version| versions.contains_key(version));
            if named.is_none() {
                problems.add(&primary_variable, format!("names no version of {variable}"));
            }
            named
        }
    };
    Some(VersionedSecret {
        primary: primary?,
        versions,
    })
}

fn parse_entry<V>(entry: &str) -> Option<(V, Zeroizing<[u8; 32]>)>
where
    V: std::str::FromStr + Ord + Default,
{
    let (version, encoded) = entry.split_once(':')?;
    let version = version
        .parse()
        .ok()
        .filter(|version| *version > V::default())?;
    let bytes = Zeroizing::new(STANDARD.decode(encoded).ok()?);
    let key: [u8; 32] = bytes.as_slice().try_into().ok()?;
    Some((version, Zeroizing::new(key)))
}

fn refuse_weak<'a, V: std::fmt::Display>(
    variable: &'static str,
    secret: Option<&'a VersionedSecret<V>>,
    seen: &mut Vec<(&'static str, &'a [u8; 32])>,
    problems: &mut Problems,
) {
    for (version, key) in secret.iter().flat_map(|secret| &secret.versions) {
        if count_distinct(&**key) < MIN_DISTINCT_BYTES {
            problems.add(
                variable,
                format!("version {version} is weak; take 32 random bytes"),
            );
        }
        if let Some((other, _)) = seen.iter().find(|(_, earlier)| *earlier == &**key) {
            problems.add(
                variable,
                format!("version {version} equals a secret in {other}"),
            );
        }
        seen.push((variable, key));
    }
}

/// A token goes over the wire with every request, so that one with a key in it gives the key away.
fn refuse_weak_token(
    token: &AdminToken,
    keys: &[(&'static str, &[u8; 32])],
    problems: &mut Problems,
) {
    // EXPOSE: the check of the token's strength.
    let token = token.0.as_str();
    if token.len() < MIN_TOKEN_CHARS || count_distinct(token.as_bytes()) < MIN_DISTINCT_CHARS {
        problems.add(
            ADMIN_TOKEN,
            format!("is weak; take at least {MIN_TOKEN_CHARS} random characters"),
        );
    }
    let contains = |key| {
        let spellings = [STANDARD_NO_PAD, URL_SAFE_NO_PAD];
        spellings
            .iter()
            .any(|base64| token.contains(Zeroizing::new(base64.encode(key)).as_str()))
    };
    if let Some((variable, _)) = keys.iter().find(|(_, key)| contains(*key)) {
        problems.add(ADMIN_TOKEN, format!("contains a secret of {variable}"));
    }
}

fn count_distinct(bytes: &[u8]) -> usize {
    let mut seen = [false; 256];
    bytes
        .iter()
        .for_each(|byte| seen[usize::from(*byte)] = true);
    seen.iter().filter(|seen| **seen).count()
}

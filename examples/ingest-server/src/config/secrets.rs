//! The secrets: an admin token, three sets of versioned 256-bit keys, and what is left of dropped ones.

mod strength;
mod tag_keys;

use std::{fmt, path::Path};

use portcullis_apikey_cache::{PepperError, Peppers};
use portcullis_versioned_secrets::{ParseFault, SecretVersion, VersionedSecrets};
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use subtle::ConstantTimeEq as _;

use super::{
    given::Given, origin::Origin, problems::Problems, profile::Profile, setting::Setting, settings,
    sources::Sources,
};
use crate::{files, process::LockedMemory};

/// Far more than a dozen versions take.
const MAX_BYTES: usize = 16 * 1024;

/// The variables of the secrets, under which the database remembers their check values.
pub(crate) const ADMIN_TOKEN: &str = settings::ADMIN_TOKEN.variable;
pub(crate) const KEKS: &str = settings::KEKS.variable;
pub(crate) const INDEX_ROOTS: &str = settings::INDEX_ROOTS.variable;
pub(crate) const KEY_PEPPERS: &str = settings::KEY_PEPPERS.variable;
pub(crate) const KID_TAG_KEYS: &str = settings::KID_TAG_KEYS.variable;

/// All secrets of the process.
#[derive(Debug)]
pub(crate) struct Secrets {
    pub(crate) admin_token: AdminToken,
    pub(crate) keks: VersionedSecrets,
    /// Versions up to [`u16::MAX`], as a fingerprint stores them.
    pub(crate) index_roots: VersionedSecrets,
    /// Versions up to [`u16::MAX`], as an API key's row stores them.
    pub(crate) key_peppers: VersionedSecrets,
    /// Of versions whose pepper was dropped; which of them is called primary means nothing.
    kid_tag_keys: Option<VersionedSecrets>,
    /// Dropped after what lies on them.
    memory: LockedMemory,
}

impl Secrets {
    /// Whether some of them may reach swap space, because the limit of locked memory is too low.
    pub(crate) const fn may_be_swapped(&self) -> bool {
        self.memory.is_incomplete()
    }

    /// The peppers of API keys, and the tag keys of those that were dropped.
    ///
    /// # Errors
    /// [`PepperError`]; a configuration that was read without problems has none.
    pub(crate) fn peppers(&self) -> Result<Peppers, PepperError> {
        let peppers = Peppers::new(self.key_peppers.clone())?;
        match &self.kid_tag_keys {
            Some(keys) => with_tag_keys(peppers, keys),
            None => Ok(peppers),
        }
    }
}

fn with_tag_keys(peppers: Peppers, keys: &VersionedSecrets) -> Result<Peppers, PepperError> {
    let copied = keys.iter().map(|(version, key)| {
        // EXPOSE: a copy is made, and wiped like the original.
        let (copied, key) = (SecretBox::init_with_mut, key.expose_secret());
        let key = copied(|copy: &mut [u8; 32]| copy.copy_from_slice(key));
        Ok((version.try_into()?, key))
    });
    peppers.with_tag_keys(copied.collect::<Result<Vec<_>, PepperError>>()?)
}

/// The bearer token of the admin listener.
pub(crate) struct AdminToken(SecretString);

impl AdminToken {
    /// Whether `candidate` is the token, in constant time for equal lengths.
    pub(crate) fn matches(&self, candidate: &[u8]) -> bool {
        // EXPOSE: the only comparison of the token.
        let token = self.0.expose_secret().as_bytes();
        token.ct_eq(candidate).into()
    }

    /// The token's text, for the dev profile to show on the terminal.
    pub(crate) fn expose(&self) -> &str {
        // EXPOSE: the caller's reason.
        self.0.expose_secret()
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminToken").finish_non_exhaustive()
    }
}

pub(super) fn read(
    sources: &Sources,
    profile: Profile,
    problems: &mut Problems,
) -> Option<Secrets> {
    let admin_token = token(sources, problems);
    let keks = versions(sources, settings::KEKS, u32::MAX, problems);
    let short = u32::from(u16::MAX);
    let index_roots = versions(sources, settings::INDEX_ROOTS, short, problems);
    let key_peppers = versions(sources, settings::KEY_PEPPERS, short, problems);
    let peppers = key_peppers.as_ref().map(|given| &given.text);
    let kid_tag_keys = tag_keys::read(sources, peppers, problems);
    let sets = [&keks, &index_roots, &key_peppers];
    let drawn = sets.into_iter().flatten();
    let derived = kid_tag_keys.as_ref();
    strength::check(
        admin_token.as_ref(),
        drawn,
        derived,
        profile.danger(),
        problems,
    );
    let mut secrets = Secrets {
        admin_token: AdminToken(admin_token?.text),
        keks: keks?.text,
        index_roots: index_roots?.text,
        key_peppers: key_peppers?.text,
        kid_tag_keys: kid_tag_keys.map(|given| given.text),
        memory: LockedMemory::default(),
    };
    secrets.lock();
    Some(secrets)
}

impl Secrets {
    /// The bytes lie on the heap, where they stay while the secrets are moved.
    fn lock(&mut self) {
        // EXPOSE: the place of the bytes alone.
        self.memory
            .lock(self.admin_token.0.expose_secret().as_bytes());
        let sets = [&self.keks, &self.index_roots, &self.key_peppers];
        for set in sets.into_iter().chain(&self.kid_tag_keys) {
            for (_, secret) in set.iter() {
                // EXPOSE: the place of the bytes alone.
                self.memory.lock(secret.expose_secret());
            }
        }
    }
}

fn token(sources: &Sources, problems: &mut Problems) -> Option<Given<SecretString>> {
    let token = text(sources, settings::ADMIN_TOKEN, problems)?;
    // EXPOSE: a header can carry no other.
    let is_sendable = token
        .text
        .expose_secret()
        .bytes()
        .all(|byte| byte.is_ascii_graphic());
    if !is_sendable {
        problems.add(&token.origin, "must be printable ASCII without spaces");
    }
    Some(token)
}

/// The text of a secret that has to be there.
fn text(
    sources: &Sources,
    setting: &Setting,
    problems: &mut Problems,
) -> Option<Given<SecretString>> {
    if is_set(sources, setting) {
        return optional(sources, setting, problems);
    }
    let message = format!("is missing; set it or {}", setting.file_variable());
    problems.add_variable(setting.variable, message);
    None
}

/// Whether some source says anything of a secret, usable or not.
pub(super) fn is_set(sources: &Sources, setting: &Setting) -> bool {
    let file_variable = setting.file_variable();
    sources.secret(setting).is_some()
        || sources.variable(&file_variable).is_some()
        || [setting.variable, &file_variable]
            .iter()
            .any(|it| sources.is_no_text(it))
}

/// The text of a secret, from the variable itself or from the file that `…_FILE` names. None where it is
/// unset, and where it cannot be used, which is told.
pub(super) fn optional(
    sources: &Sources,
    setting: &Setting,
    problems: &mut Problems,
) -> Option<Given<SecretString>> {
    let file_variable = setting.file_variable();
    match (sources.secret(setting), sources.variable(&file_variable)) {
        (Some(given), Some(_)) if matches!(given.origin, Origin::Variable(_)) => {
            let message = format!("is set, and {file_variable} too; keep one");
            problems.add(&given.origin, message);
            None
        }
        (_, Some(path)) => file(path, problems),
        (given, None) => given,
    }
}

/// One line, which may end with a line break. Whatever else is invisible would be taken for a part
/// of the secret, or be left out of it without a word.
fn file(path: Given, problems: &mut Problems) -> Option<Given<SecretString>> {
    let Given { text: path, origin } = path;
    let content = match files::read_text(Path::new(&path), MAX_BYTES) {
        Ok(content) => content,
        Err(error) => {
            problems.add(&origin, format!("names what {error}"));
            return None;
        }
    };
    let text = content.trim();
    let wrong = if text.is_empty() {
        "names an empty file"
    } else if text.starts_with('\u{feff}') {
        "names a file that begins with a byte order mark; save it without"
    } else if text.contains(['\n', '\r']) {
        "names a file of several lines; put all of it on one"
    } else if text.contains(char::is_control) {
        "names a file with control characters in it"
    } else {
        return Some(Given {
            text: text.into(),
            origin,
        });
    };
    problems.add(&origin, wrong);
    None
}

/// `1:<base64 32 bytes>,2:<…>`; with more than one, `…_PRIMARY` names the one in use.
fn versions(
    sources: &Sources,
    setting: &Setting,
    highest: u32,
    problems: &mut Problems,
) -> Option<Given<VersionedSecrets>> {
    let Given { text, origin } = text(sources, setting, problems)?;
    let primary_variable = setting.primary_variable();
    let no_version = format!("names no version of {}", setting.variable);
    let given = sources.variable(&primary_variable);
    let primary: Option<SecretVersion> = given.as_ref().and_then(|given| given.text.parse().ok());
    if primary.is_none() && given.is_some() {
        problems.add_variable(&primary_variable, no_version.as_str());
    }
    let secrets = match VersionedSecrets::parse(&text, primary) {
        Ok(secrets) => secrets,
        Err(error) => {
            for fault in error.faults() {
                match fault {
                    ParseFault::PrimaryMissing(_) => {
                        problems.add_variable(&primary_variable, no_version.as_str());
                    }
                    ParseFault::PrimaryRequired if given.is_some() => {}
                    ParseFault::PrimaryRequired => problems
                        .add_variable(&primary_variable, "is required with more than one version"),
                    fault => problems.add(&origin, fault.to_string()),
                }
            }
            return None;
        }
    };
    refuse_high_versions(&secrets, highest, &origin, problems);
    let text = secrets;
    Some(Given { text, origin })
}

/// Whether there are none.
fn refuse_high_versions(
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

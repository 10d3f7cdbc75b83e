//! The secrets: an admin token, four sets of versioned 256-bit keys, and what is left of dropped ones.

mod members;
mod strength;
mod tag_keys;
mod text;
mod versions;

use std::{fmt, sync::Arc};

use portcullis_apikey_cache::{PepperError, Peppers};
use portcullis_versioned_secrets::VersionedSecrets;
use secrecy::{ExposeSecret as _, SecretBox, SecretString};
use subtle::ConstantTimeEq as _;

use super::{
    given::Given, kek_source::KekSources, origin::Origin, problems::Problems, profile::Profile,
    setting::Setting, settings, sources::Sources,
};
use crate::process::LockedMemory;

pub(super) use self::text::{is_set, optional};

/// The variables of the secrets, under which the database remembers their check values.
pub(crate) const ADMIN_TOKEN: &str = settings::ADMIN_TOKEN.variable;
pub(crate) const KEKS: &str = settings::KEKS.variable;
pub(crate) const INDEX_ROOTS: &str = settings::INDEX_ROOTS.variable;
pub(crate) const KEY_PEPPERS: &str = settings::KEY_PEPPERS.variable;
pub(crate) const AUDIT_KEYS: &str = settings::AUDIT_KEYS.variable;
pub(crate) const KID_TAG_KEYS: &str = settings::KID_TAG_KEYS.variable;

/// All secrets of the process.
#[derive(Debug)]
pub(crate) struct Secrets {
    pub(crate) admin_token: Arc<AdminToken>,
    /// None where other programs alone hold them.
    pub(crate) keks: Option<VersionedSecrets>,
    /// Versions up to [`u16::MAX`], as a fingerprint stores them.
    pub(crate) index_roots: VersionedSecrets,
    /// Versions up to [`u16::MAX`], as an API key's row stores them.
    pub(crate) key_peppers: VersionedSecrets,
    /// What the audit log is signed with.
    pub(crate) audit_keys: VersionedSecrets,
    /// Of versions whose pepper was dropped; which of them is called primary means nothing.
    kid_tag_keys: Option<VersionedSecrets>,
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
    providers: Option<&KekSources>,
    profile: Profile,
    problems: &mut Problems,
) -> Option<Secrets> {
    let admin_token = token(sources, problems);
    if let Some(fetched) = sources.fetched() {
        members::check(fetched, sources, problems);
    }
    let keks = keks(sources, providers, problems);
    let short = u32::from(u16::MAX);
    let index_roots = versions::read(sources, settings::INDEX_ROOTS, short, problems);
    let key_peppers = versions::read(sources, settings::KEY_PEPPERS, short, problems);
    let audit_keys = versions::read(sources, settings::AUDIT_KEYS, u32::MAX, problems);
    let peppers = key_peppers.as_ref().map(|given| &given.text);
    let kid_tag_keys = tag_keys::read(sources, peppers, problems);
    let sets = [&keks, &index_roots, &key_peppers, &audit_keys];
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
        admin_token: Arc::new(AdminToken(admin_token?.text)),
        keks: if providers?.has_local() {
            Some(keks?.text)
        } else {
            None
        },
        index_roots: index_roots?.text,
        key_peppers: key_peppers?.text,
        audit_keys: audit_keys?.text,
        kid_tag_keys: kid_tag_keys.map(|given| given.text),
        memory: LockedMemory::default(),
    };
    secrets.lock();
    Some(secrets)
}

/// The texts of a secret and of its primary version, where there are any.
pub(super) fn texts(
    sources: &Sources,
    setting: &Setting,
    problems: &mut Problems,
) -> [Option<Given<SecretString>>; 2] {
    [
        optional(sources, setting, problems),
        text::primary(sources, setting, problems),
    ]
}

impl Secrets {
    /// The bytes lie on the heap, where they stay while the secrets are moved.
    fn lock(&mut self) {
        // EXPOSE: the place of the bytes alone.
        self.memory
            .lock(self.admin_token.0.expose_secret().as_bytes());
        let sets = [&self.index_roots, &self.key_peppers, &self.audit_keys].into_iter();
        for set in sets.chain(&self.keks).chain(&self.kid_tag_keys) {
            for (_, secret) in set.iter() {
                // EXPOSE: the place of the bytes alone.
                self.memory.lock(secret.expose_secret());
            }
        }
    }
}

/// Those of this process; others are not asked for, and told of where somebody gave them.
fn keks(
    sources: &Sources,
    providers: Option<&KekSources>,
    problems: &mut Problems,
) -> Option<Given<VersionedSecrets>> {
    match providers.map(KekSources::has_local) {
        // Nobody knows whether they are needed.
        None if !is_set(sources, settings::KEKS) => None,
        None | Some(true) => versions::read(sources, settings::KEKS, u32::MAX, problems),
        Some(false) => {
            let given = sources.secret(settings::KEKS);
            let given = given.map(|given| given.origin);
            if let Some(origin) = given.filter(|it| !matches!(it, Origin::Generated { .. })) {
                let message = "is not used: another program holds the key-encryption keys";
                problems.warn(&origin, message);
            }
            None
        }
    }
}

fn token(sources: &Sources, problems: &mut Problems) -> Option<Given<SecretString>> {
    let token = text::required(sources, settings::ADMIN_TOKEN, problems)?;
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

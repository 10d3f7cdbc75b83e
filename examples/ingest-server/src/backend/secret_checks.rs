//! A wrong secret is found before traffic: every version is compared with what the database
//! remembers of the first time it was used.

use std::{collections::BTreeMap, fmt};

use portcullis_pii_crypto::{IndexRoots, IndexState};
use portcullis_versioned_secrets::{CheckValue, SecretVersion};

use crate::{
    config::INDEX_ROOTS,
    store::{Remembered, SecretCheck, Store, StoreError},
};

/// Every version of a secret that is configured.
#[derive(Debug)]
pub(super) struct Configured {
    pub(super) secret: &'static str,
    pub(super) values: BTreeMap<SecretVersion, CheckValue>,
    pub(super) written_with: WrittenWith,
    pub(super) needed: Needed,
}

/// Whether the database can do without a version that it was written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needed {
    /// It cannot.
    Always,
    /// It can where no row needs the version; they are counted elsewhere.
    ByRows,
    /// It can unless the index version of that number is live.
    WhileLive,
}

/// Which versions something is written with from now on.
#[derive(Debug, Clone, Copy)]
pub(super) enum WrittenWith {
    /// None: what was written with one is read alone.
    Nothing,
    /// Those whose index versions are live.
    Live,
    /// The earlier ones are remembered since they were that.
    Only(SecretVersion),
    /// Those that this other secret, from which this one is derived, is remembered by: what is derived from
    /// the right one is right.
    With(&'static str),
}

/// Secrets that this database was not written with.
#[derive(Debug, thiserror::Error)]
#[error("{}", Listing(.0))]
pub(crate) struct WrongSecrets(Vec<Wrong>);

/// The secrets could not be compared, or are wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyError {
    #[error(transparent)]
    Wrong(#[from] WrongSecrets),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug)]
enum Wrong {
    /// Another value than before under the same version.
    Value { secret: String, version: u32 },
    /// A version the database needs is not configured.
    Missing { secret: String, version: u32 },
    /// What is derived from a version of another secret, which this database was written with and which
    /// is not configured, was not remembered in time.
    Underived {
        secret: &'static str,
        version: u32,
        from: &'static str,
    },
    /// Index versions are live, and none of them is looked up.
    NothingEnforced,
}

impl Configured {
    fn checks(&self) -> impl Iterator<Item = SecretCheck> {
        let check = |(version, value): (&SecretVersion, &CheckValue)| SecretCheck {
            secret: self.secret.to_owned(),
            version: version.value(),
            value: value.as_bytes().to_vec(),
        };
        self.values.iter().map(check)
    }

    /// What is written with from now on.
    fn in_use(
        &self,
        remembered: &[SecretCheck],
        indexes: &IndexState,
        all: &[Self],
    ) -> Vec<SecretCheck> {
        let is_in_use = |check: &SecretCheck| match self.written_with {
            WrittenWith::Nothing => false,
            WrittenWith::Live => is_live(indexes, check.version),
            WrittenWith::Only(version) => check.version == version.value(),
            WrittenWith::With(from) => {
                let is_of = |it: &SecretCheck| it.secret == from && it.version == check.version;
                let mut from = all.iter().filter(|it| it.secret == from);
                remembered.iter().any(is_of)
                    || from.any(|it| it.in_use(remembered, indexes, all).iter().any(is_of))
            }
        };
        self.checks().filter(is_in_use).collect()
    }

    fn has(&self, version: u32) -> bool {
        self.values.keys().any(|known| known.value() == version)
    }
}

/// Compares every configured secret with what is remembered, and changes nothing.
pub(super) async fn compare(
    store: &dyn Store,
    configured: &[Configured],
) -> Result<(), VerifyError> {
    let indexes = store.index_state().await?;
    let wrong = find_wrong(&store.secret_checks().await?, &indexes, configured);
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(WrongSecrets(wrong).into())
    }
}

/// Compares every configured secret with what is remembered, and remembers what is used for the
/// first time only when all is right: a typing error leaves no trace. An index that has no version yet
/// begins with the primary one.
pub(super) async fn verify(
    store: &dyn Store,
    index_roots: &IndexRoots,
    configured: &[Configured],
) -> Result<(), VerifyError> {
    let remembered = store.secret_checks().await?;
    let mut indexes = store.index_state().await?;
    let mut wrong = find_wrong(&remembered, &indexes, configured);
    if wrong.is_empty() && indexes.live().is_empty() {
        let primary = index_roots.enforced_version().value();
        store.enforced_index(primary).await?;
        // Another process may have begun with another.
        indexes = store.index_state().await?;
        wrong = find_wrong(&remembered, &indexes, configured);
    }
    if wrong.is_empty() {
        let in_use = configured.iter();
        let in_use = in_use.flat_map(|secret| secret.in_use(&remembered, &indexes, configured));
        let in_use: Vec<SecretCheck> = in_use.collect();
        // Another process may do the same with other secrets: the first one's stay.
        store.remember_secrets(&in_use).await?;
        wrong = find_wrong(&store.secret_checks().await?, &indexes, configured);
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(WrongSecrets(wrong).into())
    }
}

/// Compares every configured secret with what a database remembers, and changes nothing.
pub(super) fn compare_with(
    remembered: &Remembered,
    configured: &[Configured],
) -> Result<(), WrongSecrets> {
    let wrong = find_wrong(&remembered.checks, &remembered.index_state, configured);
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(WrongSecrets(wrong))
    }
}

fn find_wrong(
    remembered: &[SecretCheck],
    indexes: &IndexState,
    configured: &[Configured],
) -> Vec<Wrong> {
    let checks: Vec<SecretCheck> = configured.iter().flat_map(Configured::checks).collect();
    let of = |secret: &str| configured.iter().find(|it| it.secret == secret);
    let mut wrong = Vec::new();
    for known in remembered {
        let same =
            |check: &&SecretCheck| check.secret == known.secret && check.version == known.version;
        let (secret, version) = (known.secret.clone(), known.version);
        let needed = of(&secret).map_or(Needed::Always, |it| it.needed);
        match checks.iter().find(same) {
            // Those that are live are looked at below.
            None if matches!(needed, Needed::ByRows | Needed::WhileLive) => {}
            None => wrong.push(Wrong::Missing { secret, version }),
            // What it is derived from is wrong too, and that is what was given.
            Some(_) if is_derived_here(&secret, version, configured) => {}
            Some(check) if check.value != known.value => {
                wrong.push(Wrong::Value { secret, version });
            }
            Some(_) => {}
        }
    }
    wrong.extend(underived(remembered, configured));
    wrong.extend(missing_indexes(indexes, configured));
    wrong
}

/// The live index versions that cannot be written or looked up.
fn missing_indexes(indexes: &IndexState, configured: &[Configured]) -> Vec<Wrong> {
    let live = indexes.live();
    let mut found = Vec::new();
    let needed = configured
        .iter()
        .filter(|it| it.needed == Needed::WhileLive);
    for needed in needed {
        let versions = live.iter().map(|version| u32::from(version.value()));
        let missing = versions.filter(|version| !needed.has(*version));
        found.extend(missing.map(|version| Wrong::Missing {
            secret: needed.secret.to_owned(),
            version,
        }));
    }
    if !live.is_empty() && indexes.enforced().is_none() {
        found.push(Wrong::NothingEnforced);
    }
    found
}

fn is_live(indexes: &IndexState, version: u32) -> bool {
    let mut live = indexes.live().into_iter();
    live.any(|live| u32::from(live.value()) == version)
}

fn underived(remembered: &[SecretCheck], configured: &[Configured]) -> Vec<Wrong> {
    let is_remembered = |secret: &str, version: u32| {
        let mut remembered = remembered.iter();
        remembered.any(|it| it.secret == secret && it.version == version)
    };
    let mut found = Vec::new();
    for configured_one in configured {
        let (secret, WrittenWith::With(from)) =
            (configured_one.secret, configured_one.written_with)
        else {
            continue;
        };
        for version in configured_one.values.keys().map(|version| version.value()) {
            if !is_derived_here(secret, version, configured)
                && is_remembered(from, version)
                && !is_remembered(secret, version)
            {
                found.push(Wrong::Underived {
                    secret,
                    version,
                    from,
                });
            }
        }
    }
    found
}

/// Whether a version is derived from one that is configured as well.
fn is_derived_here(secret: &str, version: u32, configured: &[Configured]) -> bool {
    let is_from = |from: &str| {
        let mut from = configured.iter().filter(|it| it.secret == from);
        from.any(|it| it.has(version))
    };
    configured.iter().any(|it| {
        it.secret == secret && matches!(it.written_with, WrittenWith::With(from) if is_from(from))
    })
}

struct Listing<'a>(&'a [Wrong]);

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the secrets do not belong to this database:")?;
        for wrong in self.0 {
            match wrong {
                Wrong::Value { secret, version } => write!(
                    f,
                    "\n  {secret}: version {version} is not the one the data was written with; \
                     restore it"
                )?,
                Wrong::Missing { secret, version } => write!(
                    f,
                    "\n  {secret}: version {version} is in use and not configured; add it"
                )?,
                Wrong::Underived {
                    secret,
                    version,
                    from,
                } => write!(
                    f,
                    "\n  {secret}: version {version} cannot be compared yet; start once with \
                     version {version} in {from}, and drop it then"
                )?,
                Wrong::NothingEnforced => write!(
                    f,
                    "\n  {INDEX_ROOTS}: the table index_state has versions and none that is enforced; restore \
                     a backup"
                )?,
            }
        }
        Ok(())
    }
}

//! A pepper that API keys still need is missed at the start, not when their owners are refused.

use std::{collections::BTreeMap, fmt};

use portcullis_apikey_cache::{PepperUse, PepperVersion, store::PepperRows};

use crate::config::{KEY_PEPPERS, KID_TAG_KEYS};

/// What keys need of a version, and how many they are.
#[derive(Debug, thiserror::Error)]
#[error("{}", Listing(.0))]
pub(crate) struct NeededPeppers(BTreeMap<PepperVersion, PepperRows>);

/// Whether every key has what it needs.
pub(super) fn check(usage: &BTreeMap<PepperVersion, PepperUse>) -> Result<(), NeededPeppers> {
    let refused = usage
        .iter()
        .map(|(version, use_)| (*version, use_.refused()));
    let refused: BTreeMap<_, _> = refused
        .filter(|(_, rows)| *rows != PepperRows::default())
        .collect();
    if refused.is_empty() {
        Ok(())
    } else {
        Err(NeededPeppers(refused))
    }
}

struct Listing<'a>(&'a BTreeMap<PepperVersion, PepperRows>);

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "API keys would be refused, for want of a pepper:")?;
        for (version, rows) in self.0 {
            let &PepperRows { hashed, tagged } = rows;
            if hashed > 0 {
                write!(
                    f,
                    "\n  {KEY_PEPPERS}: version {version} is missing, and {} hashed under it; put it back \
                     until they were used or have ended, or revoke them: `api-key list --pepper {version}`",
                    keys_are(hashed)
                )?;
            }
            if tagged > 0 {
                write!(
                    f,
                    "\n  {KID_TAG_KEYS}: version {version} is missing, and {} issued under it; add what \
                     `api-key tag-key {version}` prints where the pepper is configured",
                    keys_were(tagged)
                )?;
            }
        }
        Ok(())
    }
}

fn keys_are(count: u64) -> String {
    match count {
        1 => "1 key is".to_owned(),
        count => format!("{count} keys are"),
    }
}

fn keys_were(count: u64) -> String {
    match count {
        1 => "1 key was".to_owned(),
        count => format!("{count} keys were"),
    }
}

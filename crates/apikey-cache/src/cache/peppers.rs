//! Peppers that are replaced while the cache is in use.

use std::{collections::BTreeMap, sync::Arc};

use thiserror::Error;

use super::{ApiKeyCache, manage::ManageError, pepper_usage::PepperUse};
use crate::{
    pepper::{PepperVersion, Peppers},
    store::PepperRows,
    verifier::SecretCheck,
};

/// The peppers, and what goes with them: replaced in one step.
pub(super) struct Hashing {
    pub(super) peppers: Peppers,
    /// For kids without a record.
    pub(super) nobody: SecretCheck,
}

/// Why the peppers were not replaced; those before are in use as they were.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReplacePeppersError {
    /// Keys would be refused that are good: they need what is not among the new peppers.
    #[error("keys need peppers that are missing: put those versions back until no key needs them")]
    Needed(BTreeMap<PepperVersion, PepperUse>),
    /// A version has other bytes than before, under which no key was hashed.
    #[error(
        "pepper version {0} is another secret than before: give a new pepper a version of its own"
    )]
    Changed(PepperVersion),
    /// The store could not count the keys.
    #[error("the keys cannot be counted")]
    Store(#[from] ManageError),
}

impl Hashing {
    pub(super) fn new(peppers: Peppers) -> Self {
        Self {
            nobody: SecretCheck::of_nobody(&peppers),
            peppers,
        }
    }
}

impl ApiKeyCache {
    /// Takes other peppers in place of the present ones, without a request that fails: those under way end with
    /// the peppers they began with. The bus gets them too. A key that is hashed under what is not primary any more
    /// is hashed again when it is next loaded and used.
    ///
    /// The order of the steps is the operator's: every process has a version before one has it as its primary
    /// one, and none has it as primary any more when it is dropped.
    ///
    /// # Errors
    ///
    /// [`ReplacePeppersError`]; nothing has changed then.
    pub async fn replace_peppers(&self, peppers: Peppers) -> Result<(), ReplacePeppersError> {
        let present = self.shared.hashing.load_full().peppers.check_values();
        let changed = peppers.check_values().into_iter();
        let changed = changed.filter(|(version, value)| {
            let before = present.get(version);
            before.is_some_and(|before| before.as_bytes() != value.as_bytes())
        });
        for (version, _) in changed {
            if let Ok(version) = version.try_into() {
                return Err(ReplacePeppersError::Changed(version));
            }
        }
        let mut needed = self.pepper_usage_with(&peppers).await?;
        needed.retain(|_, usage| usage.refused() != PepperRows::default());
        if !needed.is_empty() {
            return Err(ReplacePeppersError::Needed(needed));
        }
        if let Some(bus) = &self.shared.bus {
            bus.replace_peppers(&peppers);
        }
        let hashing = Arc::new(Hashing::new(peppers));
        self.shared.hashing.store(hashing);
        Ok(())
    }
}

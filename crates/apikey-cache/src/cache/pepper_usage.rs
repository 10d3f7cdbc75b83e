//! Which versions of the pepper keys still need.

use std::collections::BTreeMap;

use super::{ApiKeyCache, manage::ManageError};
use crate::{
    pepper::{PepperRole, PepperVersion, Peppers},
    store::PepperRows,
};

/// A version of the pepper: what is there of it, and what needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PepperUse {
    /// What the version is good for in this process.
    pub role: PepperRole,
    /// The keys that need it, which are neither revoked nor expired.
    pub rows: PepperRows,
}

impl PepperUse {
    /// Those of the keys that are refused, because what they need of the version is not there.
    #[must_use]
    pub const fn refused(&self) -> PepperRows {
        let PepperRows { hashed, tagged } = self.rows;
        match self.role {
            PepperRole::Primary | PepperRole::Verifies => PepperRows {
                hashed: 0,
                tagged: 0,
            },
            PepperRole::TagsOnly => PepperRows { hashed, tagged: 0 },
            PepperRole::Missing => PepperRows { hashed, tagged },
        }
    }
}

impl ApiKeyCache {
    /// Every version of the pepper that this process has or that a key needs, and how many keys that is.
    ///
    /// An old pepper can be dropped, and its tag key kept, when no key is hashed under it and no process has
    /// it as its primary one; its tag key, when no key was issued under it. A service asks before it serves: where
    /// something is [`refused`](PepperUse::refused), a secret is missing. The store reads every record for
    /// the answer.
    ///
    /// # Errors
    ///
    /// [`ManageError::Store`].
    pub async fn pepper_usage(&self) -> Result<BTreeMap<PepperVersion, PepperUse>, ManageError> {
        self.pepper_usage_with(&self.shared.hashing.load_full().peppers)
            .await
    }

    /// The same as it would be with other peppers, those that are to
    /// [replace](Self::replace_peppers) the present ones.
    ///
    /// # Errors
    ///
    /// [`ManageError::Store`].
    pub async fn pepper_usage_with(
        &self,
        peppers: &Peppers,
    ) -> Result<BTreeMap<PepperVersion, PepperUse>, ManageError> {
        let shared = &self.shared;
        let mut rows = shared.store.rows_by_pepper(shared.wall()).await?;
        for version in peppers.versions() {
            rows.entry(version).or_default();
        }
        let with_role = |(version, rows)| {
            let role = peppers.role(version);
            (version, PepperUse { role, rows })
        };
        Ok(rows.into_iter().map(with_role).collect())
    }
}

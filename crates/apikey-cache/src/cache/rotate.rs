//! Replaces a key by a new one, with a time in which both are good.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{ApiKeyCache, Revocation, Shared, manage::ManageError};
use crate::{
    key::ApiKey,
    kid::Kid,
    pepper::Peppers,
    store::{KeyRecord, RecordState, RecordVersion, StoreError, UnixMillis, Validity},
    verifier::{RowFault, Verifier},
};

/// How often the record is read when others change it at the same time.
const ATTEMPTS: usize = 4;
const MILLISECOND: Duration = Duration::from_millis(1);

impl ApiKeyCache {
    /// Makes a key of the same tenant, tier and scopes, and has the old one end; both are done, or neither.
    /// The new key can be shown now and never again.
    ///
    /// The new key is good at once, or from the date on from which the old one would have been. It ends where
    /// [`Rotation::expires_at`] says, or never; for a key that has an end, as one has that was replaced before,
    /// that has to be said. The old key ends after the overlap, or at its own end if that is earlier; one that
    /// would end before it is good is revoked. Once this returns, this process goes by that, and every other
    /// process learns of it from the change feed.
    ///
    /// A key that is not good any more, or whose row nothing vouches for, is not rotated: issue a new one.
    ///
    /// If this fails with [`ManageError::Store`], or its future is dropped, the key may have been rotated or
    /// not. If it was, the list has a new key that nobody has seen: revoke that.
    ///
    /// # Errors
    ///
    /// [`ManageError::OverlapTooLong`], [`ManageError::NotFound`], [`ManageError::Revoked`],
    /// [`ManageError::Expired`], [`ManageError::Unverifiable`], [`ManageError::EndNeeded`],
    /// [`ManageError::NeverValid`], [`ManageError::Overtaken`], [`ManageError::Entropy`]: nothing has changed.
    /// [`ManageError::Store`]: see above.
    pub async fn rotate(&self, kid: &Kid, rotation: Rotation) -> Result<Rotated, ManageError> {
        let shared = &self.shared;
        if rotation.overlap > Rotation::MAX_OVERLAP {
            return Err(ManageError::OverlapTooLong);
        }
        let hashing = shared.hashing.load_full();
        let new_kid = Kid::make(shared.entropy.as_ref(), &hashing.peppers)?;
        let key = ApiKey::make(shared.entropy.as_ref(), &shared.format, new_kid)?;
        for _ in 0..ATTEMPTS {
            let record = match shared.store.load(kid).await {
                Err(StoreError::Unreadable { .. }) => {
                    Err(ManageError::Unverifiable(RowFault::Unreadable))
                }
                loaded => loaded?.ok_or(ManageError::NotFound),
            };
            let plan = shared.plan(&record?, rotation, &key, &hashing.peppers)?;
            if let Some(changes) = shared.store.rotate(&plan.old, &plan.new).await? {
                let committed_by = shared.clock.monotonic();
                let published = shared.announce(&changes).await;
                let revocation = matches!(plan.old.state, RecordState::Revoked).then(|| {
                    let [of_old, _] = &changes;
                    Revocation::of_change(Arc::clone(shared), of_old.seq, committed_by, published)
                });
                return Ok(Rotated {
                    key,
                    expires_at: plan.new.expires_at,
                    old_ends_at: plan.old_ends_at,
                    revocation,
                });
            }
        }
        Err(ManageError::Overtaken)
    }
}

/// The records that a rotation leaves.
struct Plan {
    old: KeyRecord,
    new: KeyRecord,
    old_ends_at: UnixMillis,
}

impl Shared {
    fn plan(
        &self,
        record: &KeyRecord,
        rotation: Rotation,
        key: &ApiKey,
        peppers: &Peppers,
    ) -> Result<Plan, ManageError> {
        let RecordState::Active(verifier) = record.state else {
            return Err(ManageError::Revoked);
        };
        let now = self.wall();
        let overlap_ends = now.saturating_add(rotation.overlap);
        let mut old_ends_at = record
            .expires_at
            .map_or(overlap_ends, |end| end.min(overlap_ends));
        let mut old = KeyRecord {
            version: record.version.next(),
            expires_at: Some(old_ends_at),
            ..record.clone()
        };
        // First of all: what an altered row says of its dates is worth nothing.
        let renewed = verifier
            .renew(record, &old, peppers)
            .map_err(ManageError::Unverifiable)?;
        if record.validity(now) == Validity::Past {
            return Err(ManageError::Expired);
        }
        let expires_at = rotation.expires_at.map(UnixMillis::saturating_from);
        if expires_at.is_none() && record.expires_at.is_some() {
            return Err(ManageError::EndNeeded);
        }
        let is_never_good = record.not_before.is_some_and(|start| old_ends_at <= start);
        if rotation.overlap < MILLISECOND || is_never_good {
            old_ends_at = now;
            old.expires_at = record.expires_at;
            old.state = RecordState::Revoked;
        } else {
            old.state = RecordState::Active(renewed);
        }
        let mut new = KeyRecord {
            kid: *key.kid(),
            version: RecordVersion::FIRST,
            not_before: record.not_before.filter(|start| *start > now),
            expires_at,
            created_at: now,
            last_used: None,
            state: RecordState::Revoked,
            ..record.clone()
        };
        let starts_at = new.not_before.unwrap_or(now);
        if new.expires_at.is_some_and(|end| end <= starts_at) {
            return Err(ManageError::NeverValid);
        }
        new.state = RecordState::Active(Verifier::derive(peppers.primary(), &new, key));
        Ok(Plan {
            old,
            new,
            old_ends_at,
        })
    }
}

/// How a key is replaced.
#[derive(Clone, Copy, Debug)]
pub struct Rotation {
    overlap: Duration,
    expires_at: Option<SystemTime>,
}

impl Rotation {
    /// The longest overlap: 90 days. With it, a user who rotates each quarter never has three good keys for one
    /// purpose, and an old key that somebody forgot to replace shows before the next rotation.
    pub const MAX_OVERLAP: Duration = Duration::from_secs(90 * 24 * 3_600);

    /// The old key is refused after this time, so long both are good. With no time at all it is revoked
    /// in the same transaction. Of the time, milliseconds count.
    #[must_use]
    pub const fn after(overlap: Duration) -> Self {
        Self {
            overlap,
            expires_at: None,
        }
    }

    /// The new key is refused from this date on; of the date, milliseconds count. It inherits no end, so a key
    /// that has one is not rotated without this.
    #[must_use]
    pub fn expires_at(self, date: SystemTime) -> Self {
        Self {
            expires_at: Some(date),
            ..self
        }
    }
}

/// A key that has just replaced another.
#[derive(Debug)]
pub struct Rotated {
    key: ApiKey,
    expires_at: Option<UnixMillis>,
    old_ends_at: UnixMillis,
    revocation: Option<Revocation>,
}

impl Rotated {
    /// The revocation of the old key, if it was revoked: whether others were told, and when none of them
    /// accepts it any more.
    #[must_use]
    pub fn revocation(&self) -> Option<&Revocation> {
        self.revocation.as_ref()
    }

    /// The id under which the new key is listed and revoked.
    #[must_use]
    pub fn kid(&self) -> &Kid {
        self.key.kid()
    }

    /// The new key, which is stored nowhere.
    #[must_use]
    pub fn key(&self) -> &ApiKey {
        &self.key
    }

    /// The new key, which is stored nowhere.
    #[must_use]
    pub fn into_key(self) -> ApiKey {
        self.key
    }

    /// From when on the new key is refused, if ever.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at.and_then(UnixMillis::to_system_time)
    }

    /// From when on the old key is refused; 1970 if the platform cannot express the date.
    #[must_use]
    pub fn old_ends_at(&self) -> SystemTime {
        let date = self.old_ends_at.to_system_time();
        date.unwrap_or(UNIX_EPOCH)
    }
}

//! Issues, revokes and lists keys.

use std::{sync::Arc, time::SystemTime};

use thiserror::Error;

use super::{ApiKeyCache, Published, Revocation};
use crate::{
    entropy::EntropyError,
    key::ApiKey,
    key_info::KeyInfo,
    kid::Kid,
    scope::Scopes,
    store::{KeyQuery, KeyRecord, RecordState, RecordVersion, Revoked, StoreError, UnixMillis},
    tenant::TenantId,
    tier::Tier,
    verifier::{RowFault, Verifier},
};

impl ApiKeyCache {
    /// Makes a key and stores its record. The key can be shown now and never again.
    ///
    /// # Errors
    ///
    /// [`ManageError::NeverValid`], [`ManageError::Entropy`], [`ManageError::Store`].
    pub async fn issue(&self, new: NewKey) -> Result<Issued, ManageError> {
        let shared = &self.shared;
        let not_before = new.not_before.map(UnixMillis::saturating_from);
        let expires_at = new.expires_at.map(UnixMillis::saturating_from);
        let created_at = shared.wall();
        if expires_at.is_some_and(|end| end <= not_before.unwrap_or(created_at).max(created_at)) {
            return Err(ManageError::NeverValid);
        }
        let hashing = shared.hashing.load_full();
        let kid = Kid::make(shared.entropy.as_ref(), &hashing.peppers)?;
        let key = ApiKey::make(shared.entropy.as_ref(), &shared.format, kid)?;
        let mut record = KeyRecord {
            kid,
            tenant: new.tenant,
            tier: new.tier,
            scopes: new.scopes,
            version: RecordVersion::FIRST,
            not_before,
            expires_at,
            created_at,
            last_used: None,
            state: RecordState::Revoked,
        };
        record.state =
            RecordState::Active(Verifier::derive(hashing.peppers.primary(), &record, &key));
        let change = shared.store.insert(&record).await?;
        shared.announce(&[change]).await;
        Ok(Issued { key })
    }

    /// Revokes a key permanently. Once this returns, this process refuses it. Every other process learns of it
    /// from the bus, if there is one, and in any case from the change feed: [`Revocation::effective`] waits for
    /// that. This does not, nor for a bus that is down. Revoking again changes nothing.
    ///
    /// How long the store may take for it is not bounded here, since a revocation that is given up may be
    /// committed all the same: set the timeouts of its pool, and with SQLite its busy timeout.
    ///
    /// # Errors
    ///
    /// [`ManageError::NotFound`] if there is no record of that kid; [`ManageError::Store`], after
    /// which the key may have been revoked or not: try again.
    pub async fn revoke(&self, kid: &Kid) -> Result<Revocation, ManageError> {
        let shared = &self.shared;
        let revoked = shared.store.revoke(kid, shared.wall()).await?;
        let committed_by = shared.clock.monotonic();
        let owned = Arc::clone(shared);
        match revoked.ok_or(ManageError::NotFound)? {
            Revoked::Now(change) => {
                let seq = change.seq;
                let published = shared.announce(&[change]).await;
                Ok(Revocation::of_change(owned, seq, committed_by, published))
            }
            Revoked::Before(version) => {
                shared.invalidate(kid, version);
                // The change is in the feed; who reads it there tells what was not told.
                shared.following.read_soon();
                Ok(Revocation::of_earlier(owned, committed_by, Published::No))
            }
        }
    }

    /// A page of keys in the order of their kids.
    ///
    /// # Errors
    ///
    /// [`ManageError::Store`].
    pub async fn list(&self, query: &KeyQuery) -> Result<KeyPage, ManageError> {
        let records = self.shared.store.list(query).await?;
        let is_full = records.len() >= usize::from(query.limit.get());
        let next = records.last().filter(|_| is_full).map(|record| record.kid);
        let keys = records
            .into_iter()
            .map(|record| self.info(record))
            .collect();
        Ok(KeyPage { keys, next })
    }

    /// A tenant that has keys, revoked ones too, and whose name is this one but for the case of its
    /// letters: the tenant of this very name if it has keys, or else any other. For who gives names to new
    /// tenants that people are to tell apart; no key is read for it.
    ///
    /// # Errors
    ///
    /// [`ManageError::Store`].
    pub async fn tenant_alike(&self, tenant: &TenantId) -> Result<Option<TenantId>, ManageError> {
        Ok(self.shared.store.tenant_alike(tenant).await?)
    }

    /// What is stored about one key.
    ///
    /// # Errors
    ///
    /// [`ManageError::NotFound`] if there is no record of that kid, [`ManageError::Store`].
    pub async fn record(&self, kid: &Kid) -> Result<KeyInfo, ManageError> {
        let record = self
            .shared
            .store
            .load(kid)
            .await?
            .ok_or(ManageError::NotFound)?;
        Ok(self.info(record))
    }

    fn info(&self, record: KeyRecord) -> KeyInfo {
        KeyInfo::new(
            record,
            &self.shared.hashing.load().peppers,
            self.shared.wall(),
        )
    }
}

/// What a key to be issued is to be allowed.
#[derive(Clone, Debug)]
pub struct NewKey {
    tenant: TenantId,
    tier: Tier,
    scopes: Scopes,
    not_before: Option<SystemTime>,
    expires_at: Option<SystemTime>,
}

impl NewKey {
    /// A key that is valid at once and does not expire.
    #[must_use]
    pub fn new(tenant: TenantId, tier: Tier, scopes: Scopes) -> Self {
        Self {
            tenant,
            tier,
            scopes,
            not_before: None,
            expires_at: None,
        }
    }

    /// Refused before this date; of the date, milliseconds count.
    #[must_use]
    pub fn not_before(self, date: SystemTime) -> Self {
        Self {
            not_before: Some(date),
            ..self
        }
    }

    /// Refused from this date on; of the date, milliseconds count.
    #[must_use]
    pub fn expires_at(self, date: SystemTime) -> Self {
        Self {
            expires_at: Some(date),
            ..self
        }
    }
}

/// A key that was just issued.
#[derive(Debug)]
pub struct Issued {
    key: ApiKey,
}

impl Issued {
    /// The id under which the key is listed and revoked.
    #[must_use]
    pub fn kid(&self) -> &Kid {
        self.key.kid()
    }

    /// The key, which is stored nowhere.
    #[must_use]
    pub fn key(&self) -> &ApiKey {
        &self.key
    }

    /// The key, which is stored nowhere.
    #[must_use]
    pub fn into_key(self) -> ApiKey {
        self.key
    }
}

/// A part of the list of keys.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeyPage {
    /// Keys in the order of their kids.
    pub keys: Vec<KeyInfo>,
    /// If there may be more: the kid after which the next page begins.
    pub next: Option<Kid>,
}

/// Why a key was not issued, rotated, revoked or listed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ManageError {
    /// There is no record of that kid.
    #[error("there is no API key of that id; list the keys to find it")]
    NotFound,
    /// The key would expire before it is valid.
    #[error("the API key would expire before it is valid; choose a later date")]
    NeverValid,
    /// The key has an end, and it is not said when the one that replaces it is to end.
    #[error("the API key ends: say when the new one is to end")]
    EndNeeded,
    /// The key was revoked before.
    #[error("the API key is revoked, which cannot be undone; issue a new one")]
    Revoked,
    /// The key has expired before.
    #[error("the API key has expired; issue a new one")]
    Expired,
    /// Nothing vouches for what the row says, so it gets no new MAC either.
    #[error("the API key's row cannot be verified: {0}")]
    Unverifiable(RowFault),
    /// Two keys would be good for longer than anybody needs to replace one by the other.
    #[error("the old API key would be accepted for more than 90 days; choose a shorter overlap")]
    OverlapTooLong,
    /// Others changed the key, again and again.
    #[error("the API key was changed by others at the same time; look at it and try again")]
    Overtaken,
    /// No key could be made.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

//! The keys that the rows of a page need.

use std::{
    collections::{BTreeMap, BTreeSet},
    slice,
};

use async_trait::async_trait;
use portcullis_keyring::{
    KeyId, Keyring, PrepareError, PreparedKeys, Purpose, TenantId, kek::KekError, store::StoreError,
};

use super::{
    FailureReason, FieldValue, Reencryptor, RowField, Scope, SealedRow, SweepError, plan::concerns,
};
use crate::{Cipher, PiiKind};

/// The keys of one tenant that the rows of a page need: those that sealed what is there, and the
/// primaries that seal it again.
#[derive(Debug)]
pub(super) struct TenantKeys {
    keys: PreparedKeys,
    cipher: Cipher,
    unopened: BTreeMap<KeyId, FailureReason>,
    unsealed: BTreeMap<Purpose, FailureReason>,
}

/// Whether the keys are for sealing too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Open,
    OpenAndSeal,
}

/// What is known of the kind of a sealed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// It is of this kind.
    Kind(PiiKind),
    /// It only looks sealed: the tenant never had that key.
    Foreign,
    /// It is sealed, and cannot be opened.
    Lost(FailureReason),
}

impl TenantKeys {
    pub(super) const fn cipher(&self) -> &Cipher {
        &self.cipher
    }

    /// The kind of what a key has sealed in a field.
    pub(super) fn kind(&self, field: &RowField, key: KeyId, reencryptor: &Reencryptor) -> Found {
        if let Some(reason) = self.unopened.get(&key) {
            return Found::Lost(*reason);
        }
        if self.keys.is_damaged(key) {
            return Found::Lost(FailureReason::KeyNotUnwrapped);
        }
        match (field.kind, self.keys.purpose_of(key)) {
            (Some(_), None) => Found::Lost(FailureReason::UnknownKey),
            (None, None) => Found::Foreign,
            (Some(kind), Some(_)) => Found::Kind(kind),
            (None, Some(purpose)) => reencryptor
                .kind_for(purpose)
                .map_or(Found::Lost(FailureReason::UnknownKind), Found::Kind),
        }
    }

    /// Why nothing is sealed for a purpose, if that is known.
    pub(super) fn cannot_seal(&self, kind: PiiKind) -> Option<FailureReason> {
        self.unsealed.get(&kind.purpose()).copied()
    }

    /// Whether a key is what its kind is sealed with at present.
    pub(super) fn is_primary(&self, key: KeyId, kind: PiiKind) -> bool {
        let now = self.keys.clock().monotonic();
        let primary = self.keys.primary(kind.purpose().as_str(), now);
        primary.is_ok_and(|primary| primary.id() == key)
    }
}

impl Reencryptor {
    /// The keys for rows of one page, each tenant's in one call: those that a sweep of the scope opens or
    /// seals with.
    pub(super) async fn keys_of_rows(
        &self,
        rows: &[SealedRow],
        scope: &Scope,
    ) -> Result<BTreeMap<TenantId, TenantKeys>, SweepError> {
        let for_use = match scope {
            Scope::NotIndexed(_) => Use::Open,
            Scope::Keys(_) | Scope::Plaintext | Scope::All => Use::OpenAndSeal,
        };
        self.keys_for(rows, for_use, |field| concerns(scope, field))
            .await
    }

    pub(super) async fn keys_for(
        &self,
        rows: &[SealedRow],
        for_use: Use,
        concerned: impl Fn(&RowField) -> bool,
    ) -> Result<BTreeMap<TenantId, TenantKeys>, SweepError> {
        let mut tenants = BTreeMap::<_, (BTreeSet<KeyId>, BTreeSet<Purpose>)>::new();
        for row in rows {
            let (ids, purposes) = tenants.entry(row.tenant.clone()).or_default();
            for field in row.fields.iter().filter(|field| concerned(field)) {
                match &field.value {
                    FieldValue::Sealed(sealed) => {
                        ids.insert(sealed.key_id());
                    }
                    FieldValue::Plain(value) => {
                        purposes.insert(value.kind().purpose());
                    }
                    FieldValue::Malformed | FieldValue::Invalid(_) => {}
                }
            }
        }
        let mut prepared = BTreeMap::new();
        for (tenant, (ids, purposes)) in tenants {
            let keys = self.tenant_keys(&tenant, &ids, purposes, for_use).await?;
            prepared.insert(tenant, keys);
        }
        Ok(prepared)
    }

    async fn tenant_keys(
        &self,
        tenant: &TenantId,
        ids: &BTreeSet<KeyId>,
        mut purposes: BTreeSet<Purpose>,
        for_use: Use,
    ) -> Result<TenantKeys, SweepError> {
        let ids = Vec::from_iter(ids.iter().copied());
        let (mut keys, unopened) = self.all_or_each(tenant, &ids).await?;
        let mut unsealed = BTreeMap::new();
        if for_use == Use::OpenAndSeal {
            purposes.extend(ids.iter().filter_map(|id| keys.purpose_of(*id).cloned()));
            let purposes = Vec::from_iter(purposes);
            let (primaries, refused) = self.all_or_each(tenant, &purposes).await?;
            keys = keys.merge(primaries);
            unsealed = refused;
        }
        Ok(TenantKeys {
            cipher: Cipher::new(keys.clone()),
            keys,
            unopened,
            unsealed,
        })
    }

    /// Prepares all at once; if one of them is beyond help, each by itself, and tells which.
    async fn all_or_each<T: Wanted>(
        &self,
        tenant: &TenantId,
        wanted: &[T],
    ) -> Result<(PreparedKeys, BTreeMap<T, FailureReason>), SweepError> {
        let mut refused = BTreeMap::new();
        if let Ok(keys) = self.prepared(tenant, wanted).await? {
            return Ok((keys, refused));
        }
        let mut keys = self.keyring.prepare(tenant, &[]).await?;
        for one in wanted {
            match self.prepared(tenant, slice::from_ref(one)).await? {
                Ok(found) => keys = keys.merge(found),
                Err(reason) => {
                    refused.insert(one.clone(), reason);
                }
            }
        }
        Ok((keys, refused))
    }

    /// Prepares, and asks again while that may help.
    async fn prepared<T: Wanted>(
        &self,
        tenant: &TenantId,
        wanted: &[T],
    ) -> Result<Result<PreparedKeys, FailureReason>, SweepError> {
        let mut attempts = self.attempts();
        loop {
            let error = match T::prepare(&self.keyring, tenant, wanted).await {
                Ok(keys) => return Ok(Ok(keys)),
                Err(error) => error,
            };
            if let Some(reason) = beyond_help(&error) {
                return Ok(Err(reason));
            }
            attempts.after(error).await?;
        }
    }

    fn kind_for(&self, purpose: &Purpose) -> Option<PiiKind> {
        self.kinds.iter().find(|kind| kind.purpose() == *purpose)
    }
}

/// What keys are prepared by: their ids, or the purposes whose primaries they are.
#[async_trait]
trait Wanted: Clone + Ord + Send + Sync {
    async fn prepare(
        keyring: &Keyring,
        tenant: &TenantId,
        wanted: &[Self],
    ) -> Result<PreparedKeys, PrepareError>;
}

#[async_trait]
impl Wanted for KeyId {
    async fn prepare(
        keyring: &Keyring,
        tenant: &TenantId,
        wanted: &[Self],
    ) -> Result<PreparedKeys, PrepareError> {
        keyring.prepare_ids(tenant, wanted).await
    }
}

#[async_trait]
impl Wanted for Purpose {
    async fn prepare(
        keyring: &Keyring,
        tenant: &TenantId,
        wanted: &[Self],
    ) -> Result<PreparedKeys, PrepareError> {
        keyring.prepare(tenant, wanted).await
    }
}

/// Why a key is not prepared, where asking again does not help and other keys are not concerned.
fn beyond_help(error: &PrepareError) -> Option<FailureReason> {
    match error {
        PrepareError::TenantErased => Some(FailureReason::TenantErased),
        PrepareError::Kek(
            KekError::Rejected | KekError::UnknownVersion(_) | KekError::UnknownKey(_),
        )
        | PrepareError::Store(StoreError::Damaged(_)) => Some(FailureReason::KeyNotUnwrapped),
        _ => None,
    }
}

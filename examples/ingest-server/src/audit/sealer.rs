//! What lies beside the log, sealed: each part for its tenant and event, under a data key of the tenant for the
//! purpose `audit`.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use portcullis_audit_log::{
    event::{EventId, Id, Personal},
    sealer::{PartToSeal, SealError, Sealer},
};
use portcullis_keyring::{Keyring, PrepareError, TenantId, store::DekStore};
use portcullis_pii_crypto::{Cipher, OpenError, ParseError, Pii, PiiType, Sealed, Suite};
use tokio::time::timeout;
use zeroize::Zeroizing;

/// What the data keys are for.
pub(crate) const PURPOSE: &str = "audit";

/// The field that parts are sealed for; the record is the event.
const FIELD: &str = "audit.personal";

/// How long the key of a tenant may take, and then that of the service; the log waits for half a second in all.
const PREPARED_WITHIN: Duration = Duration::from_millis(150);

/// Tenants that are known to have data keys.
const MAX_KNOWN: usize = 10_000;

/// Whose key a part is sealed under: the first byte of what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyOf {
    /// The tenant's, so that it is unreadable once the tenant is erased.
    Tenant = 1,
    /// The service's: of what concerns the service, of a tenant that has no data or is erased, where the part says
    /// where an operator was and nothing of the tenant, and where the tenant's key was not there in time.
    Service = 2,
}

/// Seals with the service's data keys.
#[derive(Debug)]
pub(crate) struct KeyringSealer {
    keyring: Keyring,
    data_keys: Arc<dyn DekStore>,
    known: Mutex<HashSet<TenantId>>,
}

/// Salt and text of a part, in base64.
struct PersonalPart(Zeroizing<String>);

impl PiiType for PersonalPart {
    const NAME: &'static str = PURPOSE;
    const EXPECTED: &'static str = "the personal part of an entry of the audit log";
    const SUITE: Suite = Suite::Padded;

    fn parse(text: &str) -> Result<Self, ParseError> {
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    fn restore(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    fn text(&self) -> &str {
        &self.0
    }

    fn masked(&self) -> String {
        "***".to_owned()
    }
}

impl std::fmt::Debug for PersonalPart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PersonalPart").finish_non_exhaustive()
    }
}

impl KeyringSealer {
    pub(crate) fn new(keyring: Keyring, data_keys: Arc<dyn DekStore>) -> Self {
        let known = Mutex::default();
        Self {
            keyring,
            data_keys,
            known,
        }
    }

    /// What the parts of a tenant are sealed with.
    async fn cipher(&self, tenant: &Id) -> Result<(KeyOf, Cipher), SealError> {
        // A key that has to be made while the database is locked keeps nobody waiting for long.
        let of_tenant = timeout(PREPARED_WITHIN, async {
            let tenant = self.with_keys(tenant).await.ok().flatten()?;
            self.prepare(&tenant).await.ok()
        });
        if let Ok(Some(cipher)) = of_tenant.await {
            return Ok((KeyOf::Tenant, cipher));
        }
        let of_service = timeout(PREPARED_WITHIN, async { self.prepare(&service()).await });
        let cipher = of_service.await.map_err(SealError::new)?;
        Ok((KeyOf::Service, cipher.map_err(SealError::new)?))
    }

    async fn prepare(&self, tenant: &TenantId) -> Result<Cipher, PrepareError> {
        let purposes = [PersonalPart::purpose()];
        let keys = self.keyring.prepare(tenant, &purposes).await;
        keys.map(Cipher::new)
    }

    /// The tenant, if it has a data key. That one asks about a tenant that is not there makes none for it.
    async fn with_keys(&self, tenant: &Id) -> Result<Option<TenantId>, SealError> {
        let tenant = TenantId::new(tenant.as_str()).map_err(SealError::new)?;
        if tenant == service() {
            return Ok(None);
        }
        let is_known = |known: &Mutex<HashSet<_>>| {
            let known = known.lock().unwrap_or_else(PoisonError::into_inner);
            known.contains(&tenant)
        };
        if is_known(&self.known) {
            return Ok(Some(tenant));
        }
        let loaded = self.data_keys.load_tenant(&tenant).await;
        if loaded.map_err(SealError::new)?.keys.is_empty() {
            return Ok(None);
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(tenant.clone());
        Ok(Some(tenant))
    }
}

#[async_trait]
impl Sealer for KeyringSealer {
    async fn seal(&self, parts: &[PartToSeal<'_>]) -> Vec<Result<Vec<u8>, SealError>> {
        let mut ciphers = BTreeMap::new();
        let mut sealed = Vec::with_capacity(parts.len());
        for part in parts {
            if !ciphers.contains_key(part.tenant) {
                ciphers.insert(part.tenant, self.cipher(part.tenant).await);
            }
            sealed.push(match &ciphers[part.tenant] {
                Ok((key_of, cipher)) => seal(*key_of, cipher, part),
                Err(error) => Err(SealError::new(error.to_string())),
            });
        }
        sealed
    }

    async fn open(
        &self,
        tenant: &Id,
        event: EventId,
        sealed: &[u8],
    ) -> Result<Personal, SealError> {
        let (key_of, sealed) = match sealed.split_first() {
            Some((1, sealed)) => (KeyOf::Tenant, sealed),
            Some((2, sealed)) => (KeyOf::Service, sealed),
            _ => return Err(SealError::damaged("whose key it needs is not said")),
        };
        let tenant = match key_of {
            KeyOf::Tenant => TenantId::new(tenant.as_str()).map_err(SealError::new)?,
            KeyOf::Service => service(),
        };
        let sealed = Sealed::<PersonalPart>::from_bytes(sealed.to_vec());
        let sealed = sealed.map_err(SealError::damaged)?;
        let keys = self.keyring.prepare_ids(&tenant, &[sealed.key_id()]).await;
        let cipher = Cipher::new(keys.map_err(SealError::new)?);
        let part = cipher.open(FIELD, &event.to_string(), &sealed);
        let part = part.map_err(|error| match error {
            OpenError::Rejected => SealError::damaged(error),
            error => SealError::new(error),
        })?;
        // EXPOSE: it becomes a personal part again, which shows nothing of itself.
        let bytes = STANDARD_NO_PAD.decode(part.expose().text());
        Personal::from_bytes(bytes.map_err(SealError::damaged)?).map_err(SealError::damaged)
    }
}

fn seal(key_of: KeyOf, cipher: &Cipher, part: &PartToSeal<'_>) -> Result<Vec<u8>, SealError> {
    let text = STANDARD_NO_PAD.encode(part.personal.as_bytes());
    let text = Pii::new(PersonalPart(Zeroizing::new(text)));
    let sealed = cipher.seal(FIELD, &part.event.to_string(), &text);
    let sealed = sealed.map_err(SealError::new)?;
    let mut stored = vec![key_of as u8];
    stored.extend_from_slice(sealed.as_bytes());
    Ok(stored)
}

/// Whose keys those of the service are; no tenant can have the name.
fn service() -> TenantId {
    TenantId::new(Id::SYSTEM_TENANT.as_str()).expect("it is a name of 6 bytes")
}

#![doc = include_str!("../README.md")]

mod key;
mod key_format;
mod kid;

mod key_info;
mod pepper;
mod record;
mod scope;
mod tenant;
mod tier;
mod verifier;

mod store;

mod cache;
mod fence;
mod observer;
mod principal;

#[cfg(feature = "tower")]
mod headers;
#[cfg(feature = "tower")]
mod layer;

mod base62;
mod clock;
mod entropy;

pub use cache::{
    ApiKeyCache, ApiKeyCacheBuilder, CacheStats, Denied, Issued, KeyPage, ManageError, NewKey,
    Revocation,
};
pub use clock::{Clock, FakeClock, SystemClock, UnixMillis};
pub use entropy::{Entropy, EntropyError, SystemEntropy};
#[cfg(feature = "tower")]
pub use headers::CredentialError;
pub use key::{ApiKey, MalformedKey};
pub use key_format::{InvalidKeyFormat, KeyFormat};
pub use key_info::{KeyInfo, KeyStatus};
pub use kid::{Kid, MalformedKid};
#[cfg(feature = "tower")]
pub use layer::{ApiKeyLayer, ApiKeyService, ResponseFuture};
pub use observer::{Discard, Event, Hit, Observer, OutboxGap, Refusal, StoreTask};
pub use pepper::{CheckValue, PepperError, PepperVersion, Peppers};
pub use principal::Principal;
pub use record::{KeyRecord, RecordState, RecordVersion};
pub use scope::{InvalidScope, Scope, Scopes};
#[cfg(feature = "sqlx")]
pub use store::SqliteKeyStore;
pub use store::{
    Change, KeyQuery, KeyStore, MemoryKeyStore, OUTBOX_RETENTION, OutboxPage, OutboxSeq, Revoked,
    StoreError,
};
pub use tenant::{InvalidTenantId, TenantId};
pub use tier::{Tier, UnknownTier};
pub use verifier::{KeyHash, RowFault, RowMac, Verifier};

#![doc = include_str!("../README.md")]

mod key;
mod key_format;
mod kid;

mod key_info;
mod mac;
mod pepper;
mod scope;
mod tenant;
mod tier;
mod verifier;

pub mod bus;
pub mod feed;
pub mod store;

mod cache;
mod fence;
pub mod observer;
mod principal;

#[cfg(feature = "http")]
mod headers;
#[cfg(feature = "tower")]
pub mod layer;

mod base62;
pub mod clock;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod counter;
pub mod entropy;

pub use portcullis_versioned_secrets as secrets;

#[cfg(feature = "http")]
pub use self::headers::CredentialError;
pub use self::{
    cache::{
        ApiKeyCache, ApiKeyCacheBuilder, BusState, CacheStats, Denied, Effective, EffectiveBy,
        Issued, KeyPage, ManageError, NewKey, PepperUse, Published, ReplacePeppersError,
        Revocation, Rotated, Rotation, Warmed, WarmingEnd,
    },
    key::{ApiKey, MalformedKey},
    key_format::{InvalidKeyFormat, KeyFormat},
    key_info::{KeyInfo, KeyStatus},
    kid::{Kid, MalformedKid},
    pepper::{PepperError, PepperRole, PepperVersion, Peppers},
    principal::Principal,
    scope::{InvalidScope, Scope, Scopes},
    tenant::{InvalidTenantId, TenantId},
    tier::{InvalidTier, Tier},
};

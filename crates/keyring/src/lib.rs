#![doc = include_str!("../README.md")]

pub mod clock;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod entropy;
pub mod kek;
pub mod observer;
pub mod store;

mod check_value;
mod data_key;
mod key_id;
mod keyring;
mod name;
mod prepared;
mod state;

pub use check_value::CheckValue;
pub use data_key::DataKey;
pub use key_id::KeyId;
pub use keyring::{Keyring, KeyringBuilder, PrepareError, RewrapError, RotateError, Rotation};
pub use name::{MAX_NAME_BYTES, NameError, Purpose, TenantId};
pub use portcullis_versioned_secrets::{SecretVersion, VersionedSecrets};
pub use prepared::{KeyMissing, PreparedKey, PreparedKeys};
pub use state::{IllegalTransition, KeyState, Transition, UnknownKeyState};

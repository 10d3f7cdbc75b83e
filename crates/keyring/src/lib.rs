#![doc = include_str!("../README.md")]

pub mod clock;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod entropy;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod kek;
pub mod observer;
pub mod store;
pub mod sweep;

mod check_value;
mod data_key;
mod derived;
mod key_id;
mod keyring;
mod name;
mod prepared;
mod state;

pub use self::{
    check_value::check_value,
    data_key::DataKey,
    derived::DerivedKeys,
    key_id::KeyId,
    keyring::{
        DATA_KEY_PERIOD, DESTROY_DELAY, KEK_PERIOD, KeyStates, Keyring, KeyringBuilder,
        PrepareError, RewrapError, Rewrapped, RotateError, Rotation,
    },
    name::{MAX_NAME_BYTES, NameError, Purpose, TenantId},
    prepared::{KeyMissing, PreparedKey, PreparedKeys},
    state::{IllegalTransition, KeyState, Transition, UnknownKeyState},
};
pub use portcullis_versioned_secrets as secrets;

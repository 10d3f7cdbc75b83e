#![doc = include_str!("../README.md")]

mod check_value;
mod clock;
mod data_key;
mod entropy;
mod kek;
mod key_id;
mod keyring;
mod name;
mod prepared;
mod state;
mod store;
pub use check_value::CheckValue;
pub use clock::{Clock, FakeClock, SystemClock};
pub use data_key::DataKey;
pub use entropy::{Entropy, EntropyError, SystemEntropy};
pub use kek::{
    GeneratedKey, KekContext, KekError, KekProvider, KekVersion, LocalKek, LocalKekError,
    WrappedKey,
};
pub use key_id::KeyId;
pub use keyring::{Keyring, KeyringBuilder, PrepareError, RotateError, Rotation};
pub use name::{MAX_NAME_BYTES, NameError, Purpose, TenantId};
pub use prepared::{NotInHand, PreparedKey, PreparedKeys};
pub use state::{IllegalTransition, KeyState, Transition, UnknownKeyState};
#[cfg(feature = "sqlx")]
pub use store::SqliteDekStore;
pub use store::{ChangeError, DekStore, InsertError, MemoryDekStore, StoreError, StoredKey};

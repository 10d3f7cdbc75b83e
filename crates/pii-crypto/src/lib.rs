#![doc = include_str!("../README.md")]

mod cipher;
mod index;
mod pii;
mod sealed;
mod suite;

pub use cipher::{Cipher, EpochPolicy, FieldContext, OpenError, RebindError, SealError};
pub use index::{
    FingerprintIndex, IndexRoots, IndexValue, IndexVersion, IndexVersionTooGreat, Indexed,
    UniqueIndex, UnknownIndexVersion,
};
pub use pii::{
    AnyPii, Cpf, Email, FreeText, NationalId, ParseError, PersonName, Pii, PiiKind, PiiKinds,
    PiiType, PostalAddress, RepeatedKind,
};
#[cfg(feature = "phone")]
pub use pii::{PhoneNumber, Region};
pub use portcullis_keyring::{SecretVersion, VersionedSecrets};
pub use sealed::{MalformedSealed, Sealed};
pub use suite::Suite;

#[cfg(test)]
mod known_keys;

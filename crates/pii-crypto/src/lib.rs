#![doc = include_str!("../README.md")]

mod cipher;
mod index;
mod pii;
mod sealed;
mod suite;

pub use self::cipher::{Cipher, EpochPolicy, FieldContext, OpenError, RebindError, SealError};
pub use self::index::{
    FingerprintIndex, IndexRoots, IndexValue, IndexVersion, IndexVersionTooGreat, Indexed,
    UniqueIndex, UnknownIndexVersion,
};
pub use self::pii::{
    AnyPii, Cpf, Email, FreeText, NationalId, ParseError, PersonName, Pii, PiiKind, PiiKinds,
    PiiType, PostalAddress, RepeatedKind,
};
#[cfg(feature = "phone")]
pub use self::pii::{PhoneNumber, Region};
pub use self::sealed::{MalformedSealed, Sealed};
pub use self::suite::Suite;
pub use portcullis_keyring::{SecretVersion, VersionedSecrets};

#[cfg(test)]
mod known_keys;

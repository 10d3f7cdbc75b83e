#![doc = include_str!("../README.md")]

mod cipher;
mod index;
mod pii;
mod sealed;
mod suite;

pub use cipher::{Cipher, EpochPolicy, OpenError, Place, RebindError, SealError};
pub use index::{
    FingerprintIndex, IndexRoots, IndexRootsError, IndexValue, IndexVersion, Indexed, UniqueIndex,
    UnknownIndexVersion,
};
pub use pii::{
    AnyPii, Cpf, Email, FreeText, NationalId, ParseError, PersonName, PhoneNumber, Pii, PiiKind,
    PiiKinds, PiiType, PostalAddress, Region, RepeatedKind,
};
pub use sealed::{MalformedSealed, Sealed};
pub use suite::Suite;

#[cfg(test)]
mod known_keys;

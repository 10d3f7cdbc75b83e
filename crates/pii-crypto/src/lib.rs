#![doc = include_str!("../README.md")]

mod cipher;
mod index;
mod pii;
mod sealed;
mod suite;

#[cfg(test)]
mod known_keys;

pub use cipher::{Cipher, EpochPolicy, OpenError, Place, RebindError, SealError};
pub use index::{
    FingerprintIndex, IndexRoots, IndexRootsError, IndexValue, IndexVersion, Indexed, UniqueIndex,
    UnknownIndexVersion,
};
pub use pii::{
    Cpf, Email, FreeText, NationalId, ParseError, PersonName, PhoneNumber, Pii, PiiType,
    PostalAddress, Region,
};
pub use sealed::{MalformedSealed, Sealed};
pub use suite::Suite;

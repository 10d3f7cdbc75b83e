#![doc = include_str!("../README.md")]

mod cipher;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod index;
pub mod index_rotation;
pub mod observer;
mod pii;
pub mod reencrypt;
mod sealed;
mod suite;

#[cfg(feature = "phone")]
pub use self::pii::{PhoneNumber, Region};
pub use self::{
    cipher::{Cipher, EpochPolicy, FieldContext, OpenError, RebindError, SealError},
    index::{
        AcceptLeak, FingerprintIndex, IllegalIndexStep, IndexPhase, IndexRoots, IndexState,
        IndexValue, IndexVersion, IndexVersionOutOfRange, Indexed, Indexing, QueryTooShort,
        SearchIndex, TrigramIndex, TrigramQuery, UniqueIndex, UnknownIndexVersion, plan,
    },
    pii::{
        AnyPii, Cpf, Email, FreeText, NationalId, ParseError, PersonName, Pii, PiiKind, PiiKinds,
        PiiType, PostalAddress, RepeatedKind,
    },
    sealed::{MalformedSealed, Sealed},
    suite::Suite,
};
pub use portcullis_keyring::secrets;

#[cfg(test)]
mod known_keys;

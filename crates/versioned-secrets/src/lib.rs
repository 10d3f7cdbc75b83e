#![doc = include_str!("../README.md")]

mod parse;
mod set;
mod version;

pub use self::parse::{ParseError, ParseFault};
pub use self::set::{SetError, VersionedSecrets};
pub use self::version::{InvalidVersion, SecretVersion};

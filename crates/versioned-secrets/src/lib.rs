#![doc = include_str!("../README.md")]

mod parse;
mod set;
mod version;

pub use parse::{ParseError, ParseFault};
pub use set::{SetError, VersionedSecrets};
pub use version::{InvalidVersion, SecretVersion};

#![doc = include_str!("../README.md")]

#[cfg(feature = "aws")]
pub mod aws;
mod check_value;
mod parse;
mod set;
pub mod source;
#[cfg(feature = "vault")]
pub mod vault;
mod version;

pub use self::{
    check_value::CheckValue,
    parse::{ParseError, ParseFault},
    set::{SetError, VersionedSecrets},
    version::{InvalidVersion, SecretVersion},
};

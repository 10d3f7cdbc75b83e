#![doc = include_str!("../README.md")]

mod parse;
mod set;
mod version;

pub use self::{
    parse::{ParseError, ParseFault},
    set::{SetError, VersionedSecrets},
    version::{InvalidVersion, SecretVersion},
};

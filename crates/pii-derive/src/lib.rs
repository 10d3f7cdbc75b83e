#![doc = include_str!("../README.md")]

mod attribute;
mod expand;
mod field;
mod index;
mod record;

use proc_macro::TokenStream;
use syn::{DeriveInput, Error, parse_macro_input};

use self::record::Record;

/// Makes the sealed twin of a record, and what takes one to the other. See the
/// [documentation of the crate](crate).
#[proc_macro_derive(Seal, attributes(pii, seal))]
pub fn derive_seal(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let expanded = Record::parse(input).map(|record| expand::expand(&record));
    expanded.unwrap_or_else(Error::into_compile_error).into()
}

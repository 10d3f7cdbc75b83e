//! JSON that others wrote is read here and nowhere else: in one pass over the text, bounded in depth
//! while it is built, without repeated names, and without numbers that would change on the way.
//!
//! What is built are plain `serde_json` values, but its own parser reads none of them: with features
//! that any crate of the tree may turn on, it gives a meaning to names that stand in the text.

mod error;
mod footprint;
mod number;
mod reader;

use serde_json::Value;

pub(crate) use self::{
    error::{Fault, JsonError},
    footprint::footprint,
    reader::{Element, Reader},
};

/// The most objects and arrays within each other, in one event or whatever else is read whole.
pub(crate) const MAX_DEPTH: usize = 32;

/// Reads a whole text.
///
/// # Errors
/// What is wrong with it, and where.
pub(crate) fn read(text: &[u8]) -> Result<Value, JsonError> {
    Reader::new(text)?.into_element()?.value
}

#[cfg(test)]
mod tests;

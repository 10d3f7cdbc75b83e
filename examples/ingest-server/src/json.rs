//! JSON that others wrote is read here and nowhere else: in one pass over the text, bounded in depth
//! while it is built, without repeated names, and without numbers that would change on the way.
//!
//! What is built are plain `serde_json` values, but its own parser reads none of them: with features
//! that any crate of the tree may turn on, it gives a meaning to names that stand in the text.

mod error;
mod footprint;
mod locate;
mod number;
mod pointer;
mod reader;

use serde_json::Value;

pub(crate) use self::{
    error::{Fault, JsonError},
    footprint::footprint,
    locate::line_of,
    pointer::escaped,
    reader::{Element, Members, Reader, Repeated},
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

/// Reads a whole text that is the data of an event, which it stands in: the event is one level, in
/// whichever form it came.
///
/// # Errors
/// What is wrong with it, and where.
pub(crate) fn read_data(text: &[u8]) -> Result<Value, JsonError> {
    Reader::within(text, MAX_DEPTH - 1)?.into_element()?.value
}

/// Refuses a text in which an object has two members of one name. What else may be wrong with it is
/// for its reader to say.
///
/// # Errors
/// Where the second one stands.
pub(crate) fn check_names(text: &[u8]) -> Result<(), JsonError> {
    let element = Reader::within(text, usize::from(u8::MAX)).and_then(Reader::into_element);
    match element.and_then(|element| element.value) {
        Err(error) if error.fault == Fault::RepeatedName => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;

//! The one reader of JSON that others wrote.

use std::ops::Range;

use serde_json::Value;

use crate::json::{self, Fault, JsonError, Reader};

/// The most objects and arrays within each other.
pub const MAX_DEPTH: usize = json::MAX_DEPTH;

/// Why a text was not read, as far as a judge can tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a target has to know what each case claims"
)]
pub enum Refusal {
    /// It is not JSON in UTF-8.
    NotJson,
    /// It is nested too deeply.
    TooDeep,
    /// An object has two members of one name.
    RepeatedName,
    /// A number would not come out as it went in.
    InexactNumber,
}

/// An element of an array: where it stands, and what was read of it.
pub type Element = (Range<usize>, Result<Value, Refusal>);

/// Reads a whole text.
///
/// # Errors
/// Why it was not read.
pub fn read(text: &[u8]) -> Result<Value, Refusal> {
    json::read(text).map_err(refusal)
}

/// Reads the elements of the array that the text is, as a batch is read.
///
/// # Errors
/// Why the text as a whole was not read.
pub fn elements(text: &[u8]) -> Result<Vec<Element>, Refusal> {
    let elements = Reader::new(text).map_err(refusal)?.into_elements();
    elements
        .map(|element| {
            let element = element.map_err(refusal)?;
            Ok((element.range, element.value.map_err(refusal)))
        })
        .collect()
}

fn refusal(error: JsonError) -> Refusal {
    match error.fault {
        Fault::NotUtf8 | Fault::Broken | Fault::EndsEarly => Refusal::NotJson,
        Fault::TooDeep => Refusal::TooDeep,
        Fault::RepeatedName => Refusal::RepeatedName,
        Fault::InexactNumber => Refusal::InexactNumber,
    }
}

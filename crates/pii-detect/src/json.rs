//! What is found in a JSON text, and where: keys, texts and numbers, read one after another without
//! building a tree.

mod walk;

use std::{collections::VecDeque, iter::FusedIterator};

use thiserror::Error;

use self::walk::Walk;
use crate::{detector::Detector, finding::Finding};

/// How many arrays and objects may stand within each other.
pub const MAX_JSON_DEPTH: usize = 128;

/// A finding, and the value or key of a JSON text that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JsonFinding {
    /// Where the value stands, or the value that the key names: a JSON pointer (RFC 6901), `/user/0`.
    ///
    /// # Security
    /// A pointer holds the keys that lead to the value. When personal data was found in one of them,
    /// it stands in the pointer of each value below.
    pub pointer: String,
    /// Which part of the text holds it.
    pub part: JsonPart,
    /// What was found. Its range is one of the text of the value or key with its escapes undone, or
    /// of the number as it is written.
    pub finding: Finding,
}

/// A part of a JSON text that can hold personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JsonPart {
    /// The name of a member of an object.
    Key,
    /// A string.
    Text,
    /// A number, as it is written.
    Number,
}

/// Why a text could not be read to its end. What was found before is given all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JsonError {
    /// It is no JSON text in UTF-8, or something follows its value.
    #[error("the text is no JSON at byte {offset}: check that it is complete and in UTF-8")]
    Malformed {
        /// The byte at which that shows.
        offset: usize,
    },
    /// More than [`MAX_JSON_DEPTH`] arrays and objects stand within each other.
    #[error("more than 128 arrays and objects stand within each other at byte {offset}")]
    TooDeep {
        /// Where the first one too many begins.
        offset: usize,
    },
}

/// The findings in a JSON text in the order of the text; made by [`Detector::find_in_json`]. Nothing
/// comes after an error.
#[derive(Debug)]
#[must_use = "an iterator finds nothing until it is consumed"]
pub struct JsonFindings<'d, 'j> {
    detector: &'d Detector,
    walk: Walk<'j>,
    found: VecDeque<JsonFinding>,
}

impl Detector {
    /// Everything recognised in the keys, texts and numbers of a JSON text. The name of the nearest
    /// member around a value, or around a key, is taken for the name of its field.
    pub fn find_in_json<'d, 'j>(&'d self, json: &'j [u8]) -> JsonFindings<'d, 'j> {
        JsonFindings {
            detector: self,
            walk: Walk::new(json),
            found: VecDeque::new(),
        }
    }
}

impl Iterator for JsonFindings<'_, '_> {
    type Item = Result<JsonFinding, JsonError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(found) = self.found.pop_front() {
                return Some(Ok(found));
            }
            let (detector, found) = (self.detector, &mut self.found);
            let step = self.walk.step(|levels, part, text| {
                let findings = detector.find_named(levels.name(part), text);
                found.extend(findings.map(|finding| JsonFinding {
                    pointer: levels.pointer(),
                    part,
                    finding,
                }));
            })?;
            if let Err(error) = step {
                return Some(Err(error));
            }
        }
    }
}

impl FusedIterator for JsonFindings<'_, '_> {}

#[cfg(test)]
mod tests;

//! What is wrong with a text, and where; nothing of the text itself.

use std::fmt;

use super::MAX_DEPTH;

/// Why a text, or one element of it, was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.fault.sentence(&format_args!("line {} column {}", self.line, self.column)))]
pub(crate) struct JsonError {
    pub(crate) fault: Fault,
    /// From 1.
    line: usize,
    /// In bytes, from 1; 0 where a text without any byte ends.
    column: usize,
}

/// What is wrong with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    NotUtf8,
    /// It keeps to no grammar of JSON.
    Broken,
    /// It is the beginning of a JSON text.
    EndsEarly,
    TooDeep,
    /// An object has two members of one name, as names are after their escapes are decoded.
    RepeatedName,
    /// A number would not come out as it went in.
    InexactNumber,
}

impl Fault {
    /// This fault, at a byte of the text.
    pub(super) fn at(self, text: &[u8], offset: usize) -> JsonError {
        // A text ends early at its last byte.
        let before = &text[..offset.min(text.len().saturating_sub(1))];
        let line_start = before.iter().rposition(|byte| *byte == b'\n');
        let column = before.len() - line_start.map_or(0, |newline| newline + 1);
        JsonError {
            fault: self,
            line: 1 + before.iter().filter(|byte| **byte == b'\n').count(),
            column: column + usize::from(!text.is_empty()),
        }
    }

    fn sentence(self, place: &fmt::Arguments<'_>) -> String {
        match self {
            Self::NotUtf8 => format!("the text is not valid UTF-8 at {place}"),
            Self::Broken => format!("the JSON is broken at {place}"),
            Self::EndsEarly => format!("the JSON ends early, at {place}"),
            Self::TooDeep => {
                format!("the JSON is nested more than {MAX_DEPTH} levels deep at {place}")
            }
            Self::RepeatedName => {
                format!("the member name at {place} repeats an earlier one of its object")
            }
            Self::InexactNumber => {
                format!("the number at {place} cannot be kept exactly; send it as a string")
            }
        }
    }
}

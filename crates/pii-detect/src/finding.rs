//! What was found, and where.

use std::{iter::FusedIterator, ops::Range};

use crate::{detector::Detector, kind::Kind};

/// A piece of personal data or a secret in a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Finding {
    /// What it was recognised as.
    pub kind: Kind,
    /// Where it stands: a range of bytes that is never empty and both ends of which are character
    /// boundaries, so that `&text[range]` does not panic.
    pub range: Range<usize>,
}

/// The findings in a text from left to right, without overlaps; made by [`Detector::find`].
#[derive(Clone, Debug)]
#[must_use = "an iterator finds nothing until it is consumed"]
pub struct Findings<'d, 't> {
    detector: &'d Detector,
    text: &'t str,
    from: usize,
}

impl<'d, 't> Findings<'d, 't> {
    pub(crate) fn new(detector: &'d Detector, text: &'t str) -> Self {
        Self {
            detector,
            text,
            from: 0,
        }
    }
}

impl Iterator for Findings<'_, '_> {
    type Item = Finding;

    fn next(&mut self) -> Option<Finding> {
        let found = self.detector.next_from(self.text, self.from);
        self.from = found
            .as_ref()
            .map_or(self.text.len(), |finding| finding.range.end);
        found
    }
}

impl FusedIterator for Findings<'_, '_> {}

//! What was found, and where.

use std::ops::Range;

use crate::kind::Kind;

/// A piece of personal data or a secret in a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Finding {
    /// What it was recognised as.
    pub kind: Kind,
    /// Where it stands: a range of bytes that is never empty and both ends of which are character
    /// boundaries, so that `&text[range]` does not panic.
    pub range: Range<usize>,
    /// What in particular, stable and fit for a metric label: `cpf`, `iban`, `github_token`.
    pub rule: &'static str,
    /// How sure it is.
    pub confidence: Confidence,
}

impl Finding {
    /// Takes over a finding that overlaps it and does not begin before it: one over all that either
    /// covers, so that masking leaves no part of any. It has the kind of the surer, and its own if both
    /// are as sure.
    pub(crate) fn join(&mut self, other: Self) {
        let range = self.range.start..self.range.end.max(other.range.end);
        if other.confidence > self.confidence {
            *self = other;
        }
        self.range = range;
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Confidence {
    /// It has the shape, and so have many innocent values: eleven digits whose check digits happen to
    /// be right. Not reported by default.
    Low,
    /// It has the shape, and nothing around it says that it is something else.
    Medium,
    /// The shape is that of nothing else, or the text around it, or the name of its field, says what
    /// it is.
    High,
}

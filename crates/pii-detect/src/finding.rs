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
}

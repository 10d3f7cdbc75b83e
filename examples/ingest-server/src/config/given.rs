//! A value that a source gives.

use std::str::FromStr;

use super::{origin::Origin, problems::Problems};

/// A value as text, and where it came from. It may be a secret: it has no `Debug`.
#[derive(Clone)]
pub(super) struct Given<T = String> {
    pub(super) text: T,
    pub(super) origin: Origin,
}

impl Given {
    pub(super) fn new(text: &str, origin: Origin) -> Self {
        let text = text.to_owned();
        Self { text, origin }
    }

    /// The value, or a problem that says what it must be.
    pub(super) fn parse<T: FromStr>(&self, expected: &str, problems: &mut Problems) -> Option<T> {
        let parsed = self.text.parse().ok();
        if parsed.is_none() {
            problems.add(&self.origin, format!("must be {expected}"));
        }
        parsed
    }
}

//! The text that rules look at, and the field that holds it.

use std::cell::OnceCell;

use super::surroundings::{Meaning, names};

/// A folded text with the name of its field.
#[derive(Clone, Debug)]
pub(crate) struct Source<'t> {
    name: &'t str,
    text: &'t str,
    /// Names are read once for all numbers of a text, and not at all for a text without any.
    named: OnceCell<Option<Meaning>>,
}

impl<'t> Source<'t> {
    /// An empty name stands for none.
    pub(crate) fn new(name: &'t str, text: &'t str) -> Self {
        Self {
            name,
            text,
            named: OnceCell::new(),
        }
    }

    pub(crate) fn text(&self) -> &'t str {
        self.text
    }

    pub(super) fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    /// What the name of the field says that its value is.
    pub(super) fn named(&self) -> Option<Meaning> {
        *self.named.get_or_init(|| names::meaning(self.name))
    }
}

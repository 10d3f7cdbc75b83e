//! The text that rules look at, and the field that holds it.

use std::cell::{Cell, OnceCell};

use super::surroundings::{Meaning, names};

/// A folded text with the name of its field.
#[derive(Clone, Debug)]
pub(crate) struct Source<'t> {
    name: &'t str,
    text: &'t str,
    /// Names are read once for all numbers of a text, and not at all for a text without any.
    named: OnceCell<Option<Meaning>>,
    /// What the words before a byte say: several rules ask it of one number. Of no byte yet, if it is the
    /// last of all memory.
    said_before: Cell<(usize, Option<Meaning>)>,
}

impl<'t> Source<'t> {
    /// An empty name stands for none.
    #[inline]
    pub(crate) fn new(name: &'t str, text: &'t str) -> Self {
        Self {
            name,
            text,
            named: OnceCell::new(),
            said_before: Cell::new((usize::MAX, None)),
        }
    }

    pub(crate) const fn name(&self) -> &'t str {
        self.name
    }

    pub(crate) const fn text(&self) -> &'t str {
        self.text
    }

    pub(super) fn bytes(&self) -> &'t [u8] {
        self.text.as_bytes()
    }

    /// What the name of the field says that its value is.
    pub(super) fn named(&self) -> Option<Meaning> {
        *self.named.get_or_init(|| names::meaning(self.name))
    }

    /// What the words before `at` say that the number there is, which `read` tells unless it did so
    /// when it was last asked.
    pub(super) fn said_before(
        &self,
        at: usize,
        read: impl FnOnce() -> Option<Meaning>,
    ) -> Option<Meaning> {
        match self.said_before.get() {
            (known, said) if known == at => said,
            _ => {
                let said = read();
                self.said_before.set((at, said));
                said
            }
        }
    }
}

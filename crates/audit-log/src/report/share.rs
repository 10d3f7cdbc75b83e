//! A part of a whole.

/// How many of how many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "it is these two numbers")]
pub struct Share {
    /// Those that are as they should be.
    pub pass: u64,
    /// All of them.
    pub of: u64,
}

impl Share {
    /// From 0 to 1; `None` of nothing.
    #[must_use]
    pub fn ratio(self) -> Option<f64> {
        // Rounded, they are shares still.
        (self.of != 0).then(|| self.pass.min(self.of) as f64 / self.of as f64)
    }

    pub(super) const fn count(&mut self, passes: bool) {
        self.of += 1;
        self.pass += passes as u64;
    }
}

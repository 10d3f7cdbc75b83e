//! Why an event cannot become a leaf.

/// What is over a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// There are more resources than one event may have.
    #[error("an event has at most 128 resources, not {found}; record several, with one trace")]
    TooManyResources {
        /// How many there are.
        found: usize,
    },
    /// The leaf could be longer than a leaf may be.
    #[error("the leaf of the event could have {found} bytes, and has at most 16384")]
    TooLong {
        /// How long it is with the longest numbers.
        found: usize,
    },
}

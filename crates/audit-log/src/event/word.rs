//! Closed lists of words.

use std::fmt;

macro_rules! words {
    ($name:ident { $($word:ident => $text:literal),+ $(,)? }) => {
        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$word),+];

            /// The word in a leaf.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$word => $text,)+
                }
            }

            /// The one of this word, if there is one.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|each| each.as_str() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(super) use words;

/// What an action does to its resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "version 1 of the leaf has these, and exports map each"
)]
pub enum Activity {
    /// They were not there before.
    Create,
    /// They were shown.
    Read,
    /// They were changed.
    Update,
    /// They are gone.
    Delete,
    /// Anything else, as a sign-in.
    Other,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "version 1 of the leaf has these, and exports map each"
)]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was not allowed.
    Denied,
    /// It was allowed and did not succeed.
    Failure,
    /// Nobody can tell: what was to be told never came.
    Unknown,
}

/// What the log promised to who recorded the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "version 1 of the leaf has these, and every caller chooses one"
)]
pub enum Delivery {
    /// It was durable before anything was shown or done.
    Must,
    /// It was written when there was room. What was dropped is counted.
    Best,
}

words!(Activity {
    Create => "create",
    Read => "read",
    Update => "update",
    Delete => "delete",
    Other => "other",
});

words!(Outcome {
    Success => "success",
    Denied => "denied",
    Failure => "failure",
    Unknown => "unknown",
});

words!(Delivery {
    Must => "must",
    Best => "best",
});

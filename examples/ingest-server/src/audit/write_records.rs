//! How ordinary writes are recorded.

/// What is on record of the events and leads that are taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteRecords {
    Off,
    /// One entry for each API key, action and minute.
    Summary,
    /// One for each request.
    Each,
}

impl WriteRecords {
    /// The one of this word.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        match word {
            "off" => Some(Self::Off),
            "summary" => Some(Self::Summary),
            "each" => Some(Self::Each),
            _ => None,
        }
    }
}

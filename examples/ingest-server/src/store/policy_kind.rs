//! The policies that operators replace while the service runs.

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PolicyKind {
    Limits,
    Detection,
}

impl PolicyKind {
    pub(crate) const ALL: [Self; 2] = [Self::Limits, Self::Detection];

    /// As a label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Limits => "limits",
            Self::Detection => "detection",
        }
    }
}

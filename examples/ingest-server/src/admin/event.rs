//! What was done, or tried, and by whom.

use std::fmt::Debug;

use portcullis_apikey_cache::Kid;

use super::Actor;

/// Learns of everything that is administered.
pub(crate) trait AdminObserver: Debug + Send + Sync {
    /// Called once for each use case, when its outcome is known.
    fn observe(&self, event: &AdminEvent<'_>);
}

/// One use case and what came of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AdminEvent<'a> {
    pub(crate) actor: &'a Actor,
    pub(crate) action: Action,
    pub(crate) outcome: Outcome,
    /// The API key it was about, once that is known.
    pub(crate) kid: Option<&'a Kid>,
}

/// What operators do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    IssueApiKey,
    ListApiKeys,
    ReadApiKey,
    RevokeApiKey,
    ReadLimits,
    ReplaceLimits,
    ReadQuality,
    ReadSamples,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// What was asked for is not possible.
    Rejected,
    /// The service could not do it.
    Failed,
}

impl Action {
    /// As a label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::IssueApiKey => "api_key.issue",
            Self::ListApiKeys => "api_key.list",
            Self::ReadApiKey => "api_key.read",
            Self::RevokeApiKey => "api_key.revoke",
            Self::ReadLimits => "limits.read",
            Self::ReplaceLimits => "limits.replace",
            Self::ReadQuality => "quality.read",
            Self::ReadSamples => "quality.samples",
        }
    }

    /// Whether it changes anything.
    pub(crate) const fn is_change(self) -> bool {
        matches!(
            self,
            Self::IssueApiKey | Self::RevokeApiKey | Self::ReplaceLimits
        )
    }
}

impl Outcome {
    /// As a label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
        }
    }
}

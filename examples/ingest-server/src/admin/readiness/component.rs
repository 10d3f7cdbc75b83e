//! How one component does.

use std::{borrow::Cow, time::Duration};

use serde::Serialize;

/// The state of one component, and what belongs to it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Component {
    pub(super) state: State,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) latency_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) free_rows: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rows: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) confirmed_for_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) age_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kek: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) action: Option<Cow<'static, str>>,
}

/// What a component does by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Up,
    Warming,
    /// Serves, and asks for something.
    Degraded,
    Draining,
    Full,
    Down,
    Configured,
    Off,
}

impl Component {
    pub(super) const fn new(state: State) -> Self {
        Self {
            state,
            latency_ms: None,
            free_rows: None,
            rows: None,
            confirmed_for_ms: None,
            age_seconds: None,
            kek: None,
            action: None,
        }
    }

    pub(super) fn with_action(self, action: impl Into<Cow<'static, str>>) -> Self {
        Self {
            action: Some(action.into()),
            ..self
        }
    }

    pub(super) fn with_latency(self, latency: Duration) -> Self {
        Self {
            latency_ms: Some(milliseconds(latency)),
            ..self
        }
    }
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

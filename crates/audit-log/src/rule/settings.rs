//! What the rules take from the service.

use std::num::NonZeroUsize;

use super::Rule;
use crate::event::{Action, Code};

/// The names that a service has for what the rules look at, and how many actors they remember.
#[derive(Debug, Clone)]
pub struct RuleSettings {
    pub(super) max_actors: NonZeroUsize,
    pub(super) automated: Vec<Code>,
    pub(super) break_glass: Vec<Action>,
    pub(super) break_glass_reasons: Vec<Code>,
}

/// Each takes at most 5 KB.
const MAX_ACTORS: NonZeroUsize = NonZeroUsize::new(10_000).expect("it is not zero");

impl RuleSettings {
    /// 10,000 actors, the reason code `automated`, the action `elevation.break_glass`, the reason code `break_glass`.
    #[must_use]
    pub fn new() -> Self {
        Self {
            max_actors: MAX_ACTORS,
            automated: vec![Code::new("automated")],
            break_glass: vec![Action::new("elevation.break_glass")],
            break_glass_reasons: vec![Rule::BreakGlass.code()],
        }
    }

    /// With room for so many actors. When it is full, an eighth of them is forgotten, those that were not seen for
    /// longest.
    #[must_use]
    pub fn max_actors(self, max_actors: NonZeroUsize) -> Self {
        Self { max_actors, ..self }
    }

    /// With these codes for a reason that a program gave.
    #[must_use]
    pub fn automated(self, codes: impl IntoIterator<Item = Code>) -> Self {
        Self {
            automated: codes.into_iter().collect(),
            ..self
        }
    }

    /// With these actions by which somebody takes rights in an emergency: each is a finding.
    #[must_use]
    pub fn break_glass(self, actions: impl IntoIterator<Item = Action>) -> Self {
        Self {
            break_glass: actions.into_iter().collect(),
            ..self
        }
    }

    /// With these codes for an emergency that is the reason of an access.
    #[must_use]
    pub fn break_glass_reasons(self, codes: impl IntoIterator<Item = Code>) -> Self {
        Self {
            break_glass_reasons: codes.into_iter().collect(),
            ..self
        }
    }
}

impl Default for RuleSettings {
    fn default() -> Self {
        Self::new()
    }
}

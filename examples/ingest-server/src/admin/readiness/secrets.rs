//! Whether the secrets in use are those that there are.

use super::{Component, State};
use crate::backend::{RefreshOutcome, SecretHealth};

/// Never down: the service goes on with the secrets that it has.
pub(super) fn component(health: &SecretHealth) -> Component {
    let age = health.age().as_secs();
    let action = match health.outcome() {
        // Where nothing can change, nothing is looked at, and there is no age.
        RefreshOutcome::Unchanged | RefreshOutcome::Replaced => {
            return Component::new(State::Up);
        }
        RefreshOutcome::Refused => {
            "what was read last is refused, and the secrets before stay in use: the log says why; put it right, \
             or put back what was there before"
        }
        RefreshOutcome::Unavailable => {
            "the secrets cannot be read again, and those that there are stay in use: the log says why; they are \
             tried again, without a restart"
        }
    };
    Component {
        age_seconds: Some(age),
        ..Component::new(State::Degraded).with_action(action)
    }
}

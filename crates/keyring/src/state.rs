//! The states of a data key and the steps between them.

use std::{fmt, str::FromStr};

/// The state of a data key.
///
/// ```text
/// Pending ──► Primary ◄──► DecryptOnly ◄──► Disabled ◄──► DestroyScheduled ──► Destroyed
///    └─────────────────────────────────────────────────────────────────────────►┘
/// ```
/// Erasure of a tenant leads each of its keys from any state to `Destroyed`, which nothing leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a closed state machine, matched exhaustively"
)]
pub enum KeyState {
    /// Made, and not yet known to every process; opens, does not seal.
    Pending,
    /// Seals and opens; exactly one for each tenant and purpose.
    Primary,
    /// Opens what it sealed before.
    DecryptOnly,
    /// Refused, with an alarm; can be taken back into use.
    Disabled,
    /// Refused, with an alarm; waits for its destruction, and can still be taken back.
    DestroyScheduled,
    /// Gone for ever: only the id is kept.
    Destroyed,
}

impl KeyState {
    /// Every state, in the order of a key's life.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Primary,
        Self::DecryptOnly,
        Self::Disabled,
        Self::DestroyScheduled,
        Self::Destroyed,
    ];

    /// Whether the state machine has this step. Erasure is not a step of it.
    #[must_use]
    pub const fn can_become(self, to: Self) -> bool {
        matches!(
            (self, to),
            (Self::Pending, Self::Primary | Self::Destroyed)
                | (Self::Primary, Self::DecryptOnly)
                | (Self::DecryptOnly, Self::Primary | Self::Disabled)
                | (Self::Disabled, Self::DecryptOnly | Self::DestroyScheduled)
                | (Self::DestroyScheduled, Self::Disabled | Self::Destroyed)
        )
    }

    /// Whether a key in this state may open what it sealed.
    #[must_use]
    pub const fn opens(self) -> bool {
        matches!(self, Self::Pending | Self::Primary | Self::DecryptOnly)
    }

    /// The name in stores and answers: `pending`, `primary`, `decrypt-only`, `disabled`,
    /// `destroy-scheduled`, `destroyed`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Primary => "primary",
            Self::DecryptOnly => "decrypt-only",
            Self::Disabled => "disabled",
            Self::DestroyScheduled => "destroy-scheduled",
            Self::Destroyed => "destroyed",
        }
    }
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for KeyState {
    type Err = UnknownKeyState;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == name)
            .ok_or(UnknownKeyState)
    }
}

/// The name is not one of a key state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a key state")]
#[non_exhaustive]
pub struct UnknownKeyState;

/// A legal step of one key between two states, neither of which is `Primary`.
///
/// The role of primary changes hands only by [`DekStore::promote`](crate::store::DekStore::promote), which
/// moves two keys at once, so that there is never none and never two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    from: KeyState,
    to: KeyState,
}

/// The state machine has no such step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IllegalTransition {
    /// No step leads from one state to the other.
    #[error("a key that is {from} cannot become {to}")]
    NoSuchStep {
        /// The state the key is in.
        from: KeyState,
        /// The state that was asked for.
        to: KeyState,
    },
    /// The step exists, but only a promotion makes it.
    #[error("a key becomes or ceases to be primary only by a promotion")]
    OnlyByPromotion,
}

impl Transition {
    /// The step between two states.
    ///
    /// # Errors
    /// [`IllegalTransition`] when the state machine has no such step, or when only a promotion
    /// makes it.
    pub const fn new(from: KeyState, to: KeyState) -> Result<Self, IllegalTransition> {
        if !from.can_become(to) {
            return Err(IllegalTransition::NoSuchStep { from, to });
        }
        if matches!(from, KeyState::Primary) || matches!(to, KeyState::Primary) {
            return Err(IllegalTransition::OnlyByPromotion);
        }
        Ok(Self { from, to })
    }

    /// The state the key must be in.
    #[must_use]
    pub const fn from(self) -> KeyState {
        self.from
    }

    /// The state it gets.
    #[must_use]
    pub const fn to(self) -> KeyState {
        self.to
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyState::*, *};

    const STEPS: [(KeyState, KeyState); 9] = [
        (Pending, Primary),
        (Pending, Destroyed),
        (Primary, DecryptOnly),
        (DecryptOnly, Primary),
        (DecryptOnly, Disabled),
        (Disabled, DecryptOnly),
        (Disabled, DestroyScheduled),
        (DestroyScheduled, Disabled),
        (DestroyScheduled, Destroyed),
    ];

    #[test]
    fn every_step_outside_the_table_is_refused() {
        for from in KeyState::ALL {
            for to in KeyState::ALL {
                let listed = STEPS.contains(&(from, to));
                assert_eq!(from.can_become(to), listed, "{from} to {to}");
                let expected = match (listed, from == Primary || to == Primary) {
                    (false, _) => Err(IllegalTransition::NoSuchStep { from, to }),
                    (true, true) => Err(IllegalTransition::OnlyByPromotion),
                    (true, false) => Ok(Transition { from, to }),
                };
                assert_eq!(Transition::new(from, to), expected);
            }
        }
    }

    #[test]
    fn names_are_read_back() {
        for state in KeyState::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert_eq!("Primary".parse::<KeyState>(), Err(UnknownKeyState));
    }
}

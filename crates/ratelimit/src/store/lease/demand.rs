//! How much a key was asked for lately.

use std::time::Duration;

use crate::clock::Timestamp;

/// As many charges within one to two spans make a key hot.
const HOT_CHARGES: u32 = 8;

/// What a key was asked for in the present span of time and in the one before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Demand {
    since: Timestamp,
    present: Asked,
    before: Asked,
}

#[derive(Clone, Copy, Debug, Default)]
struct Asked {
    charges: u32,
    tokens: u32,
}

impl Demand {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            since: now,
            present: Asked::default(),
            before: Asked::default(),
        }
    }

    /// Counts a charge of `tokens`.
    pub(super) fn count(&mut self, tokens: u32, now: Timestamp, span: Duration) {
        let passed = now.since(self.since);
        if passed >= span {
            let follows = passed < span.saturating_mul(2);
            self.before = if follows {
                self.present
            } else {
                Asked::default()
            };
            self.present = Asked::default();
            self.since = if follows { self.since.plus(span) } else { now };
        }
        self.present.charges = self.present.charges.saturating_add(1);
        self.present.tokens = self.present.tokens.saturating_add(tokens);
    }

    /// Whether it is worth asking for more than a charge costs.
    pub(super) fn is_hot(&self) -> bool {
        self.present.charges.saturating_add(self.before.charges) >= HOT_CHARGES
    }

    /// The tokens asked for within the last one to two spans.
    pub(super) fn tokens(&self) -> u32 {
        self.present.tokens.saturating_add(self.before.tokens)
    }

    /// When the key was last seen, to within a span.
    pub(super) const fn since(&self) -> Timestamp {
        self.since
    }
}

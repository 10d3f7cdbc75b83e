//! Among how many nodes a fallback shares a limit, and what a token counts for that reason.

use std::{
    num::NonZeroU32,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use crate::clock::Timestamp;

/// The changes of the number of nodes that are told apart.
const MAX_EARLIER: usize = 8;

/// How many nodes share the limits: fixed, or kept by a heartbeat. Clones are one number.
///
/// Each node admits `f / N` of a limit by the `N` of its own, so all together admit the sum of theirs: `f` as
/// long as none counts fewer than there are. One that counts `m` of them brings `f / m`.
#[derive(Clone, Debug)]
pub struct NodeCount {
    kept: Kept,
}

#[derive(Clone, Debug)]
enum Kept {
    Fixed(NonZeroU32),
    Shared {
        nodes: Arc<AtomicU32>,
        minimum: NonZeroU32,
    },
}

/// A part of a limit: above zero and at most one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fraction(f64);

/// The number is no [`Fraction`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a fraction of a limit must be above zero and at most one")]
#[non_exhaustive]
pub struct FractionError;

/// What a token of a request counts in the buckets of this node.
#[derive(Debug)]
pub(super) struct Weights {
    nodes: NodeCount,
    fraction: Fraction,
    /// The number of nodes last seen.
    latest: AtomicU32,
    earlier: Mutex<Vec<Earlier>>,
}

/// A larger number of nodes, and when it was last seen to hold. Later ones are smaller.
#[derive(Clone, Copy, Debug)]
struct Earlier {
    nodes: u32,
    until: Timestamp,
}

impl NodeCount {
    /// Always `nodes`; [`set`](Self::set) changes nothing.
    #[must_use]
    pub const fn fixed(nodes: NonZeroU32) -> Self {
        Self {
            kept: Kept::Fixed(nodes),
        }
    }

    /// `nodes` until [`set`](Self::set) says another number, also a smaller one. A process that starts while
    /// nobody can be counted keeps it: with one, it alone admits `f` of each limit.
    #[must_use]
    pub fn starting_at(nodes: NonZeroU32) -> Self {
        Self::shared(nodes, NonZeroU32::MIN)
    }

    /// `nodes`, and what [`set`](Self::set) says as long as that is more. For services that know how many of
    /// them there are at least: neither a process that starts while nobody can be counted nor one that is cut
    /// off from the others takes more than its part among so many.
    #[must_use]
    pub fn at_least(nodes: NonZeroU32) -> Self {
        Self::shared(nodes, nodes)
    }

    fn shared(nodes: NonZeroU32, minimum: NonZeroU32) -> Self {
        let nodes = Arc::new(AtomicU32::new(nodes.get()));
        Self {
            kept: Kept::Shared { nodes, minimum },
        }
    }

    /// Sets the number for all clones, unless it is fixed; one below the minimum, to that.
    pub fn set(&self, number: NonZeroU32) {
        if let Kept::Shared { nodes, minimum } = &self.kept {
            nodes.store(number.max(*minimum).get(), Ordering::Relaxed);
        }
    }

    /// The number.
    #[must_use]
    pub fn current(&self) -> NonZeroU32 {
        match &self.kept {
            Kept::Fixed(nodes) => *nodes,
            Kept::Shared { nodes, minimum } => {
                NonZeroU32::new(nodes.load(Ordering::Relaxed)).unwrap_or(*minimum)
            }
        }
    }
}

impl Fraction {
    /// A half.
    pub const HALF: Self = Self(0.5);

    /// `part` of a limit.
    ///
    /// # Errors
    /// It is not above zero and at most one.
    pub fn new(part: f64) -> Result<Self, FractionError> {
        if part > 0.0 && part <= 1.0 {
            Ok(Self(part))
        } else {
            Err(FractionError)
        }
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.0
    }
}

impl Weights {
    pub(super) fn new(nodes: NodeCount, fraction: Fraction) -> Self {
        let latest = AtomicU32::new(nodes.current().get());
        Self {
            nodes,
            fraction,
            latest,
            earlier: Mutex::default(),
        }
    }

    /// Notes how many nodes there are, at each charge: a number that has fallen goes on to count for
    /// buckets that other nodes may have charged under it.
    #[inline]
    pub(super) fn note(&self, now: Timestamp) {
        let nodes = self.nodes.current().get();
        if nodes != self.latest.load(Ordering::Relaxed) {
            self.note_change(nodes, now);
        }
    }

    #[cold]
    fn note_change(&self, nodes: u32, now: Timestamp) {
        let mut earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.latest.swap(nodes, Ordering::Relaxed);
        if before <= nodes {
            return;
        }
        while earlier.last().is_some_and(|last| last.nodes <= before) {
            earlier.pop();
        }
        earlier.push(Earlier {
            nodes: before,
            until: now,
        });
        if earlier.len() > MAX_EARLIER {
            // The two oldest as one: the larger number, for the longer time.
            let oldest = earlier.remove(0);
            earlier[0].nodes = oldest.nodes;
        }
    }

    /// `⌈N / f⌉`, for buckets that drain within `drain_time`: `N` is the largest number of nodes that any
    /// of what they hold may have been counted under.
    pub(super) fn weight(&self, now: Timestamp, drain_time: Duration) -> NonZeroU32 {
        let earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        let still_counts = |earlier: &&Earlier| now.since(earlier.until) < drain_time;
        let earlier = earlier.iter().find(still_counts);
        let nodes = earlier.map_or(0, |earlier| earlier.nodes);
        self.fraction.weight(nodes.max(self.nodes.current().get()))
    }
}

impl Fraction {
    fn weight(self, nodes: u32) -> NonZeroU32 {
        let weight = (f64::from(nodes) / self.0).ceil();
        // Rust converts a number that is too large to the largest.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, above zero, and held to the range of the type"
        )]
        let weight = weight as u32;
        NonZeroU32::new(weight).unwrap_or(NonZeroU32::MIN)
    }
}

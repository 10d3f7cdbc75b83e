use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

/// A share from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Ratio(f64);

impl Ratio {
    /// Nothing.
    pub const NONE: Self = Self(0.0);
    /// One in a hundred.
    pub const ONE_PERCENT: Self = Self(0.01);
    /// Everything.
    pub const ALL: Self = Self(1.0);

    /// `None` outside 0 to 1.
    #[must_use]
    pub fn new(share: f64) -> Option<Self> {
        (0.0..=1.0).contains(&share).then_some(Self(share))
    }

    /// The share as a number from 0 to 1.
    #[must_use]
    pub fn share(self) -> f64 {
        self.0
    }
}

/// Which traces are exported: a share chosen at the start of a trace, and those that turn out
/// interesting at its end.
#[derive(Clone, Debug, Default)]
pub struct Sampling {
    pub(crate) head: Head,
    pub(crate) tail: Option<Tail>,
}

/// The decision at the start of a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Head {
    pub(crate) ratio: Ratio,
    pub(crate) parent: ParentDecision,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            ratio: Ratio::ONE_PERCENT,
            parent: ParentDecision::Follow,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ParentDecision {
    /// A trace that comes from a caller is exported when the caller exports it.
    Follow,
    /// Every span is decided by the trace id alone.
    Ignore,
}

impl Sampling {
    /// This share of traces, chosen by their id, and those that a caller has chosen.
    #[must_use]
    pub fn head(ratio: Ratio) -> Self {
        Self {
            head: Head {
                ratio,
                ..Head::default()
            },
            tail: None,
        }
    }

    /// Keeps traces with an error and slow ones too, whatever was decided at their start.
    #[must_use]
    pub fn with_tail(mut self, tail: Tail) -> Self {
        self.tail = Some(tail);
        self
    }
}

/// Which traces are kept at their end, and how much may be held until then.
///
/// Spans of a trace are held in memory until the last of them that has begun here has ended. A
/// trace is exported when a span of it has failed or took longer than
/// [`slower_than`](Self::slower_than). What the bounds push out is counted by reason in
/// `telemetry_tail_evictions_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tail {
    /// The longest time a span may take for its trace not to be kept: 120 ms.
    pub slower_than: Duration,
    /// Traces that are held at the same time: 8,192.
    pub traces: NonZeroUsize,
    /// Spans that are held of one trace: 512.
    pub spans_per_trace: NonZeroUsize,
    /// Memory of all spans that are held, as estimated from their texts: 64 MiB.
    pub bytes: NonZeroUsize,
    /// The time after which a trace that has not ended is given up: one minute.
    pub age: Duration,
    /// Traces that are kept in any one second: 500.
    pub kept_per_second: NonZeroU32,
}

impl Default for Tail {
    fn default() -> Self {
        Self {
            slower_than: Duration::from_millis(120),
            traces: NonZeroUsize::new(8_192).expect("not zero"),
            spans_per_trace: NonZeroUsize::new(512).expect("not zero"),
            bytes: NonZeroUsize::new(64 << 20).expect("not zero"),
            age: Duration::from_secs(60),
            kept_per_second: NonZeroU32::new(500).expect("not zero"),
        }
    }
}

//! Which traces are exported.

use std::{
    fmt,
    num::{NonZeroU32, NonZeroUsize},
    str::FromStr,
    time::Duration,
};

use thiserror::Error;

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

    /// This share.
    ///
    /// # Errors
    /// When it is not a number from 0 to 1.
    pub fn new(share: f64) -> Result<Self, RatioError> {
        if (0.0..=1.0).contains(&share) {
            Ok(Self(share))
        } else {
            Err(RatioError)
        }
    }

    /// The share as a number from 0 to 1.
    #[must_use]
    pub fn value(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Ratio {
    type Err = RatioError;

    /// Reads a decimal number without a sign, such as `0.01` or `1e-2`.
    fn from_str(text: &str) -> Result<Self, RatioError> {
        let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
        let bytes = text.as_bytes();
        // What begins and ends with a digit is neither `-0` nor `inf` nor `.5`.
        if !is_digit(bytes.first()) || !is_digit(bytes.last()) {
            return Err(RatioError);
        }
        text.parse().map_err(|_| RatioError).and_then(Self::new)
    }
}

/// A share that is not a number from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a ratio must be a number from 0 to 1")]
#[non_exhaustive]
pub struct RatioError;

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
    /// The time after which a trace that has not ended is evicted: one minute.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// As the documentation has them: who runs a service reckons with these.
    #[test]
    fn the_defaults_are_those_of_the_documentation() {
        let sampling = Sampling::default();
        assert_eq!(sampling.head.ratio.value(), 0.01);
        assert_eq!(sampling.head.parent, ParentDecision::Follow);
        assert_eq!(sampling.tail, None);
        let tail = Tail::default();
        assert_eq!(tail.slower_than, Duration::from_millis(120));
        assert_eq!(tail.traces.get(), 8_192);
        assert_eq!(tail.spans_per_trace.get(), 512);
        assert_eq!(tail.bytes.get(), 67_108_864, "64 MiB");
        assert_eq!(tail.age, Duration::from_secs(60));
        assert_eq!(tail.kept_per_second.get(), 500);
    }

    #[test]
    fn a_ratio_is_a_number_from_0_to_1() {
        for share in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert_eq!(Ratio::new(share), Err(RatioError), "{share}");
        }
        for text in ["", "10%", "one"] {
            assert_eq!(text.parse::<Ratio>(), Err(RatioError), "{text}");
        }
        let quarter: Ratio = "0.25".parse().unwrap();
        assert_eq!(
            (quarter.value(), quarter.to_string()),
            (0.25, "0.25".to_owned())
        );
        assert_eq!(Ratio::new(1.0), Ok(Ratio::ALL));
    }
}

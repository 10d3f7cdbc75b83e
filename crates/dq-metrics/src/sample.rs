//! Samples of discarded events: few, masked, and of known probability.

mod bucket;
mod daily;
mod excerpt;
mod reservoir;
mod sampler;
mod store;

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{clock::UnixMillis, reason::Reason, subject::Subject};

pub use self::store::{MemorySamples, SampleSlot, SampleStore, SampleStoreError};
pub(crate) use self::{
    bucket::Bucket,
    sampler::{Sampler, SamplerCounts},
    store::is_of,
};

/// Samples kept for each reason.
pub const SAMPLES_PER_REASON: usize = 16;

/// Longest text of one sample: tenant, event type, detail and excerpt together, in bytes.
pub const SAMPLE_BYTES: usize = 2 * 1024;

/// Longest payload an excerpt is taken from, in bytes; of a longer one only its length is kept.
///
/// A payload is masked whole, never cut first, since a value cut in half is not recognised.
pub const MASKED_BYTES: usize = 64 * 1024;

/// Replaces personal data and secrets in what is kept of an event.
///
/// # Contract
/// The answers hold nothing of what must not be stored. Payloads and details are masked for few
/// events (the bucket of [`crate::QualityBuilder::captures_per_second`] bounds how many), on the
/// thread that samples.
pub trait Masker: fmt::Debug + Send + Sync {
    /// The payload as its sender wrote it, which may be broken, with everything replaced that must
    /// not be stored.
    fn mask_payload(&self, payload: &str) -> String;

    /// A text about an event with everything replaced that must not be stored: the detail of a
    /// refusal, or the name of an event type or a version.
    ///
    /// A name that it would change never becomes a label.
    fn mask_text(&self, text: &str) -> String;
}

/// An event that was refused, offered as a sample.
#[derive(Clone, Copy)]
pub struct Discarded<'a, R> {
    pub(crate) subject: Subject<'a>,
    pub(crate) reason: R,
    pub(crate) payload: &'a [u8],
    pub(crate) detail: &'a str,
    pub(crate) trace_id: Option<TraceId>,
}

/// A masked, shortened copy of a refused event.
///
/// A store that reads it back from rows begins with [`Sample::new`] and sets the other fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Sample {
    /// Why it was refused: the name of the reason.
    pub reason: &'static str,
    /// Whose it was, as a label: possibly `__other__` or `__unknown__`.
    pub tenant: String,
    /// What it was, as a label: possibly `__other__` or `__unknown__`.
    pub event_type: String,
    /// It was the n-th event offered for this reason since the service started, from 1.
    pub ordinal: u64,
    /// When it was taken.
    pub taken_at: UnixMillis,
    /// The trace it belongs to.
    pub trace_id: Option<TraceId>,
    /// What was wrong, masked: a field path, a rule.
    pub detail: String,
    /// The beginning of the payload, masked.
    pub excerpt: String,
    /// Hash of reason, event type, detail and excerpt: equal for samples that look the same.
    pub fingerprint: Fingerprint,
}

/// The samples of one reason, and what they stand for.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SampleGroup {
    /// The name of the reason they share.
    pub reason: &'static str,
    /// How many events were offered for this reason, sampled or not.
    pub count: u64,
    /// How probable it was for each of them to be among the samples: `16 / count`, at most 1.
    pub probability: f64,
    /// The samples.
    pub samples: Vec<Sample>,
}

/// The 128-bit id of a trace; lower-case hexadecimal as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceId(u128);

/// A 64-bit fingerprint of a sample; lower-case hexadecimal as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(u64);

impl<'a, R: Reason> Discarded<'a, R> {
    /// An event as it came, before anything was masked.
    pub const fn new(subject: Subject<'a>, reason: R, payload: &'a [u8]) -> Self {
        Self {
            subject,
            reason,
            payload,
            detail: "",
            trace_id: None,
        }
    }

    /// Says what was wrong, best from schema paths alone; it is masked as a text.
    #[must_use]
    pub const fn detail(self, detail: &'a str) -> Self {
        Self { detail, ..self }
    }

    /// Says which trace it belongs to.
    #[must_use]
    pub const fn trace_id(self, trace_id: TraceId) -> Self {
        Self {
            trace_id: Some(trace_id),
            ..self
        }
    }
}

impl<R: Reason> fmt::Debug for Discarded<'_, R> {
    /// Leaves out everything that is not masked yet.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Discarded")
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}

impl Sample {
    /// The sample with this ordinal for the reason with this name; its texts are empty.
    pub const fn new(reason: &'static str, ordinal: u64, taken_at: UnixMillis) -> Self {
        Self {
            reason,
            tenant: String::new(),
            event_type: String::new(),
            ordinal,
            taken_at,
            trace_id: None,
            detail: String::new(),
            excerpt: String::new(),
            fingerprint: Fingerprint::new(0),
        }
    }
}

impl TraceId {
    /// From the bytes of the W3C trace context, as they stand there.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    /// The bytes as they stand in the W3C trace context.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl Serialize for TraceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Fingerprint {
    /// A fingerprint that was made before, as a store gives it back.
    pub const fn new(fingerprint: u64) -> Self {
        Self(fingerprint)
    }

    /// The fingerprint as a number.
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

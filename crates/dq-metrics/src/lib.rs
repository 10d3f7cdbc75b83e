#![doc = include_str!("../README.md")]

mod outcome;

mod reason;

mod dimension;
mod subject;

mod plan;

mod quality;

mod conservation;
mod metrics;
mod report;
mod score;

mod sample;

mod duplicates;

mod ledger;

mod labels;
mod tally;
mod versions;

mod clock;

pub use self::clock::{Clock, FakeClock, SystemClock, UnixMillis};
pub use self::conservation::Conservation;
pub use self::dimension::Dimension;
pub use self::duplicates::{DuplicateFilter, Sighting};
pub use self::metrics::{MAX_SERIES, QualityMetric};
pub use self::outcome::{Duplicate, Outcome};
pub use self::plan::{Lifecycle, Plan};
pub use self::quality::{Quality, QualityBuilder};
pub use self::reason::{Catalogue, Reason, Severity, Stage, UnknownReason};
pub use self::report::{
    Coverage, EventTypeReport, Html, Markdown, Rejections, Report, TenantSummary, VersionReport,
};
#[cfg(feature = "conformance")]
pub use self::sample::conformance;
pub use self::sample::{
    Discarded, Fingerprint, MASKED_BYTES, Masker, MemorySamples, Place, SAMPLE_BYTES,
    SAMPLES_PER_REASON, Sample, SampleGroup, SampleStore, SampleStoreError, TraceId,
};
pub use self::score::{DimensionScore, Direction, Score, Trend, Weights, wilson_lower_bound};
pub use self::subject::Subject;

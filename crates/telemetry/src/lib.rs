#![doc = include_str!("../README.md")]

mod builder;
mod guard;

mod environment;
mod sampling;
mod traces;

mod logs;
mod panics;

mod redact;

mod metrics;

#[cfg(feature = "tower")]
mod http;

mod clock;
mod current;

#[cfg(test)]
#[path = "../tests/support/lines.rs"]
mod lines;
#[cfg(test)]
#[cfg(feature = "tower")]
#[path = "../tests/support/spans.rs"]
mod spans;

pub use self::builder::{Builder, InitError, Telemetry};
pub use self::clock::{Clock, FakeClock, SystemClock};
pub use self::current::current_trace_id;
pub use self::environment::{Environment, EnvironmentError};
pub use self::guard::{Guard, Report};
#[cfg(feature = "tower")]
pub use self::http::{HttpFuture, HttpLayer, HttpService, RemoteParent};
pub use self::logs::{LogLimits, Logs};
pub use self::metrics::{BoundedFamily, Buckets, Exposition, MetricError, Registry};
pub use self::panics::log_panics;
pub use self::redact::{Redaction, Redactor};
pub use self::sampling::{Ratio, Sampling, Tail};
pub use self::traces::Otlp;

/// The crates in the versions that this one is built with, for use beside it.
pub use {opentelemetry, opentelemetry_sdk, prometheus_client, tracing_opentelemetry};

/// The OTLP exporter in the version that this crate is built with.
#[cfg(feature = "otlp-http")]
pub use opentelemetry_otlp;

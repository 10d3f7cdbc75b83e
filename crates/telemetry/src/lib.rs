#![doc = include_str!("../README.md")]

mod builder;
mod error;
mod guard;

mod environment;
mod sampling;
mod traces;

mod logs;
mod losses;
mod panics;

mod background;
mod link;

mod redact;

mod metrics;

mod database;

#[cfg(feature = "tower")]
mod http;

pub mod clock;
mod current;

#[cfg(test)]
#[path = "../tests/support/lines.rs"]
mod lines;
#[cfg(test)]
#[path = "../tests/support/movement.rs"]
mod movement;
#[cfg(test)]
#[path = "../tests/support/spans.rs"]
mod spans;

#[cfg(feature = "tower")]
pub use self::http::{
    BaggageKeys, HttpClientFuture, HttpClientLayer, HttpClientService, HttpFuture, HttpLayer,
    HttpService, RemoteParent, UrlTemplate,
};
#[cfg(feature = "tokio")]
pub use self::metrics::Runtimes;
pub use self::{
    background::BackgroundTask,
    builder::{Builder, Telemetry},
    current::{current_context, current_trace_id, set_parent},
    database::{Database, DatabaseDurations, DatabaseFailure, DatabaseSpan, Statement},
    environment::{Environment, EnvironmentError, EnvironmentWarning},
    error::InitError,
    guard::{Guard, Report},
    link::{MAX_LINKS, SpanLink, add_links},
    logs::{LogLimits, Logs},
    losses::Losses,
    metrics::{
        BoundedFamily, Buckets, ExemplarHistogram, Exposition, Label, MetricDescription,
        MetricError, MetricUnit, Registry,
    },
    panics::log_panics,
    redact::{Redaction, Redactor},
    sampling::{Ratio, RatioError, Sampling, Tail},
    traces::{Otlp, ParentError},
};

/// The crates in the versions that this one is built with, for use beside it.
pub use {
    opentelemetry, opentelemetry_sdk, portcullis_pii_detect as pii_detect, prometheus_client,
};

/// The OTLP exporter in the version that this crate is built with.
#[cfg(feature = "otlp-http")]
pub use opentelemetry_otlp;

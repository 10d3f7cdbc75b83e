//! What the process tells about itself.

use super::{Sources, problems::Problems};

/// Logs and traces. The standard `OTEL_*` variables are read by the telemetry crate.
#[derive(Debug, Clone)]
pub(crate) struct Observability {
    /// Which events are logged: a level, or `target=level` pairs with commas.
    pub(crate) log_filter: String,
    /// The share of traces that is exported whatever they hold, 0 to 1.
    pub(crate) trace_sample_ratio: f64,
}

const LOG: &str = "INGEST_LOG";
const RATIO: &str = "INGEST_TRACE_SAMPLE_RATIO";

impl Observability {
    /// Whether the ratio is one that a busy service can afford and learn from.
    pub(crate) fn has_usual_ratio(&self) -> bool {
        (0.01..=0.05).contains(&self.trace_sample_ratio)
    }
}

pub(super) fn read(sources: &Sources, problems: &mut Problems) -> Observability {
    let log_filter = sources.value(LOG).unwrap_or_else(|| "info".to_owned());
    if log_filter
        .parse::<tracing_subscriber::filter::Targets>()
        .is_err()
    {
        problems.add(
            LOG,
            "is not a filter; write for example `info,ingest_server=debug`",
        );
    }
    let ratio = sources.value(RATIO).map(|text| text.parse::<f64>());
    let trace_sample_ratio = match ratio {
        None => 0.01,
        Some(Ok(ratio)) if (0.0..=1.0).contains(&ratio) => ratio,
        Some(_) => {
            problems.add(RATIO, "must be a number from 0 to 1");
            0.0
        }
    };
    for problem in sources.telemetry().problems() {
        problems.add(problem.variable, format!("must be {}", problem.expected));
    }
    Observability {
        log_filter,
        trace_sample_ratio,
    }
}

//! What the process tells about itself.

use tracing_subscriber::{EnvFilter, filter::Targets};

use super::{given::Given, problems::Problems, settings, sources::Sources};

/// Logs and traces. The standard `OTEL_*` variables are read by the telemetry crate.
#[derive(Debug, Clone)]
pub(crate) struct Observability {
    /// Which events are logged: a level, or `target=level` pairs with commas.
    pub(crate) log_filter: String,
    /// The share of traces that is exported whatever they hold, 0 to 1.
    pub(crate) trace_sample_ratio: f64,
}

impl Observability {
    /// Whether the ratio is one that a busy service can afford and learn from.
    pub(crate) fn has_usual_ratio(&self) -> bool {
        (0.01..=0.05).contains(&self.trace_sample_ratio)
    }
}

pub(super) fn read(sources: &Sources, problems: &mut Problems) -> Option<Observability> {
    let log_filter = log_filter(sources, problems);
    let trace_sample_ratio = trace_sample_ratio(sources, problems);
    for problem in sources.telemetry().problems() {
        problems.add_variable(problem.variable, format!("must be {}", problem.expected));
    }
    Some(Observability {
        log_filter: log_filter?,
        trace_sample_ratio: trace_sample_ratio?,
    })
}

fn log_filter(sources: &Sources, problems: &mut Problems) -> Option<String> {
    let Given { text, origin } = sources.value(settings::LOG)?;
    if is_filter(&text) {
        return Some(text);
    }
    problems.add(
        &origin,
        "is not a filter; write for example `info,ingest_server=debug`",
    );
    None
}

/// The telemetry crate takes the filters of [`Targets`], which is lenient with what is left out:
/// to it `=` is the level ERROR for every target.
fn is_filter(text: &str) -> bool {
    let is_whole = |directive: &str| {
        let (target, level) = directive.split_once('=').unwrap_or((directive, "-"));
        !target.trim().is_empty() && !level.trim().is_empty()
    };
    text.split(',').all(is_whole)
        && text.parse::<Targets>().is_ok()
        && EnvFilter::try_new(text).is_ok()
}

fn trace_sample_ratio(sources: &Sources, problems: &mut Problems) -> Option<f64> {
    let Given { text, origin } = sources.value(settings::TRACE_SAMPLE_RATIO)?;
    let ratio = text.parse().ok();
    let ratio = ratio.filter(|ratio| (0.0..=1.0).contains(ratio));
    if ratio.is_none() {
        problems.add(&origin, "must be a number from 0 to 1");
    }
    ratio
}

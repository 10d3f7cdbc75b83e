//! What the process tells about itself.

mod log_filter;

use portcullis_telemetry::Ratio;

use super::{given::Given, problems::Problems, settings, sources::Sources};

const SAMPLER: &str = "OTEL_TRACES_SAMPLER";

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
    fn has_usual_ratio(&self) -> bool {
        (0.01..=0.05).contains(&self.trace_sample_ratio)
    }
}

pub(super) fn read(sources: &Sources, problems: &mut Problems) -> Option<Observability> {
    let log_filter = log_filter(sources, problems);
    let trace_sample_ratio = trace_sample_ratio(sources, problems);
    let telemetry = sources.telemetry();
    for problem in telemetry.problems() {
        problems.add_variable(problem.variable, format!("must be {}", problem.expected));
    }
    for warning in telemetry.warnings() {
        problems.warn(
            warning.variable,
            format!("changes nothing: {}", warning.reason),
        );
    }
    let observability = Observability {
        log_filter: log_filter?,
        trace_sample_ratio: trace_sample_ratio?,
    };
    if !observability.has_usual_ratio() {
        let message = "the share of traces lies outside 0.01 to 0.05";
        problems.warn(settings::TRACE_SAMPLE_RATIO.variable, message);
    }
    Some(observability)
}

fn log_filter(sources: &Sources, problems: &mut Problems) -> Option<String> {
    let Given { text, origin } = sources.value(settings::LOG)?;
    let wrong = log_filter::problems(&text);
    if wrong.is_empty() {
        return Some(text);
    }
    wrong
        .into_iter()
        .for_each(|message| problems.add(&origin, message));
    None
}

/// `OTEL_TRACES_SAMPLER` says the same and more: neither of the two is to win without a word.
fn trace_sample_ratio(sources: &Sources, problems: &mut Problems) -> Option<f64> {
    let setting = settings::TRACE_SAMPLE_RATIO;
    let Given { text, origin } = sources.value(setting)?;
    if sources.given(setting).is_some() && sources.variable(SAMPLER).is_some() {
        problems.add(&origin, format!("is set, and {SAMPLER} too; keep one"));
    }
    let ratio: Option<Ratio> = text.parse().ok();
    if ratio.is_none() {
        problems.add(&origin, "must be a number from 0 to 1");
    }
    ratio.map(Ratio::value)
}

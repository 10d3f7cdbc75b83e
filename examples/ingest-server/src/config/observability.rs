//! What the process tells about itself.

mod log_filter;

use std::num::NonZeroU32;

use portcullis_apikey_cache::TenantId as KeyTenant;
use portcullis_keyring::TenantId;
use portcullis_telemetry::Ratio;

use super::{given::Given, problems::Problems, setting::Setting, settings, sources::Sources};

const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const MOST_DAYS: u32 = 366;

/// Logs and traces. The standard `OTEL_*` variables are read by the telemetry crate.
#[derive(Debug, Clone)]
pub(crate) struct Observability {
    /// Which events are logged: a level, or `target=level` pairs with commas.
    pub(crate) log_filter: String,
    /// The share of traces that is exported whatever they hold, 0 to 1.
    pub(crate) trace_sample_ratio: f64,
    /// For how many days it is kept what became of events.
    pub(crate) quality_days: NonZeroU32,
    /// For how many days samples of refused events are kept.
    pub(crate) quality_sample_days: NonZeroU32,
    /// The tenant whose records are the probe's.
    pub(crate) probe_tenant: Option<TenantId>,
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
    let [quality_days, quality_sample_days] =
        [settings::QUALITY_DAYS, settings::QUALITY_SAMPLE_DAYS]
            .map(|setting| days(setting, sources, problems));
    let probe_tenant = probe_tenant(sources, problems);
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
        quality_days: quality_days?,
        quality_sample_days: quality_sample_days?,
        probe_tenant,
    };
    if !observability.has_usual_ratio() {
        let message = "the share of traces lies outside 0.01 to 0.05";
        problems.warn(settings::TRACE_SAMPLE_RATIO.variable, message);
    }
    Some(observability)
}

/// Which events are logged.
pub(super) fn log_filter(sources: &Sources, problems: &mut Problems) -> Option<String> {
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

/// A name that a tenant can have: one that was mistyped would leave all that the probe writes.
fn probe_tenant(sources: &Sources, problems: &mut Problems) -> Option<TenantId> {
    let Given { text, origin } = sources.value(settings::PROBE_TENANT)?;
    let tenant = KeyTenant::new(&text).ok();
    let tenant = tenant.and_then(|_| TenantId::new(&text).ok());
    if tenant.is_none() {
        problems.add(&origin, "is no name that a tenant can have");
    }
    tenant
}

/// As many as a report can cover, at most.
fn days(setting: &Setting, sources: &Sources, problems: &mut Problems) -> Option<NonZeroU32> {
    let given = sources.value(setting)?;
    let expected = format!("a whole number of days, 1 to {MOST_DAYS}");
    let days: NonZeroU32 = given.parse(&expected, problems)?;
    if days.get() > MOST_DAYS {
        problems.add(&given.origin, format!("must be {expected}"));
        return None;
    }
    Some(days)
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

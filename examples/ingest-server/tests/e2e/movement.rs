//! That a metric moves, under the name that `docs/metrics.md` has it by.

use std::collections::BTreeMap;

/// The samples of a scrape by their names and labels.
pub(crate) type Samples = BTreeMap<String, f64>;

/// Fails for each of these metrics that tells after something happened what it told before: a counter has to
/// have grown, a histogram to have seen a value, a gauge to show another one.
///
/// The names stand here as text, since a test of the library collects them from these calls: one that is in
/// `docs/metrics.md` and in none of them fails it.
pub(crate) fn assert_moved<const N: usize>(before: &Samples, after: &Samples, metrics: [&str; N]) {
    for metric in metrics {
        let counted = format!("{metric}_count");
        let is_histogram = after.keys().any(|sample| family(sample) == counted);
        let has_moved = if is_histogram {
            sum(after, &counted) > sum(before, &counted)
        } else if metric.ends_with("_total") {
            sum(after, metric) > sum(before, metric)
        } else {
            let samples = before.keys().chain(after.keys());
            let mut samples = samples.filter(|sample| family(sample) == metric);
            samples.any(|sample| value(before, sample) != value(after, sample))
        };
        assert!(has_moved, "{metric} is as it was: {:#?}", of(after, metric));
    }
}

/// The name before the labels.
fn family(sample: &str) -> &str {
    sample.split('{').next().unwrap_or(sample)
}

/// What is not there has not happened.
fn value(samples: &Samples, sample: &str) -> f64 {
    samples.get(sample).copied().unwrap_or_default()
}

fn sum(samples: &Samples, name: &str) -> f64 {
    let named = samples.iter().filter(|(sample, _)| family(sample) == name);
    named.map(|(_, value)| value).sum()
}

fn of<'a>(samples: &'a Samples, metric: &str) -> Vec<(&'a String, &'a f64)> {
    let of_metric = samples
        .iter()
        .filter(|(sample, _)| sample.starts_with(metric));
    of_metric.collect()
}

//! Which names of metrics and labels are valid, and which samples they write.

use prometheus_client::metrics::MetricType;

use super::MetricError;

/// The family's name: what is registered, without the suffix that a counter's sample gets.
pub(super) fn family(name: &str, kind: MetricType) -> Result<&str, MetricError> {
    let refused = |problem| {
        Err(MetricError::Name {
            name: name.to_owned(),
            problem,
        })
    };
    if !is_plain(name) {
        return refused("must be letters, digits and underscores, not starting with a digit");
    }
    if name.starts_with("__") {
        return refused("starts with two underscores, which is reserved");
    }
    match (name.strip_suffix("_total"), kind) {
        (Some(""), _) => refused("has nothing before its suffix"),
        (Some(family), MetricType::Counter) => Ok(family),
        (Some(_), _) => refused("ends in `_total`, which only counters do"),
        (None, _) => Ok(name),
    }
}

/// Every name under which the family may write, including its own.
pub(super) fn samples(family: &str, kind: MetricType) -> Vec<String> {
    let suffixes: &[&str] = match kind {
        MetricType::Counter => &["", "_total", "_created"],
        MetricType::Histogram => &["", "_bucket", "_sum", "_count", "_created"],
        MetricType::Info => &["", "_info"],
        MetricType::Gauge | MetricType::Unknown => &[""],
    };
    suffixes
        .iter()
        .map(|suffix| format!("{family}{suffix}"))
        .collect()
}

pub(super) fn check_labels(labels: &[&'static str]) -> Result<(), MetricError> {
    for (index, label) in labels.iter().enumerate() {
        if !is_plain(label) || label.starts_with("__") || labels[..index].contains(label) {
            return Err(MetricError::Label((*label).to_owned()));
        }
    }
    Ok(())
}

/// Help as OpenMetrics writes it; the encoder adds the full stop and escapes nothing.
pub(super) fn escape_help(help: &str) -> String {
    let help = help.trim_end_matches('.');
    help.replace('\\', r"\\")
        .replace('\n', r"\n")
        .replace('"', r#"\""#)
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

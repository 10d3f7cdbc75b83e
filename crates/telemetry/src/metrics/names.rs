//! Which names of metrics and labels are valid, and which samples they write.

use prometheus_client::metrics::MetricType;

use super::{MetricError, label::Label};

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

/// The name that queries use.
pub(super) fn queried(family: &str, kind: MetricType) -> String {
    match kind {
        MetricType::Counter => format!("{family}_total"),
        MetricType::Info => format!("{family}_info"),
        MetricType::Gauge | MetricType::Histogram | MetricType::Unknown => family.to_owned(),
    }
}

pub(super) fn check_labels(labels: &[Label], kind: MetricType) -> Result<(), MetricError> {
    // What a histogram's own label is called.
    let is_taken = |name| name == "le" && matches!(kind, MetricType::Histogram);
    for (index, label) in labels.iter().enumerate() {
        let name = label.name();
        let is_repeated = labels[..index].iter().any(|before| before.name() == name);
        if !is_plain(name) || name.starts_with("__") || is_taken(name) || is_repeated {
            return Err(MetricError::Label(name.to_owned()));
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

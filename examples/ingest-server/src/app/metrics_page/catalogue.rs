//! Metrics as JSON, one a line.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_telemetry::{Label, MetricDescription};
use serde_json::{Value, json};

use super::Row;

/// The values of a series' labels by their names.
type Series = BTreeMap<String, String>;

/// Which series of a metric are there before anything has happened.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// One for each combination of the values of its labels; the one that it has, if it has no labels.
    All,
    /// These of them.
    Some(BTreeSet<Series>),
    /// Some, whose labels have values that are not known beforehand.
    Open,
    /// None, or labelled gauges, of which nothing is said.
    None,
}

impl Start {
    /// What was there in each start.
    pub(super) fn of<'a>(
        metric: &MetricDescription,
        starts: impl Iterator<Item = &'a [String]>,
    ) -> Self {
        // Gauges come and go with what they are of.
        if matches!(metric.kind.as_str(), "gauge") && !metric.labels.is_empty() {
            return Self::None;
        }
        Self::of_series(metric, starts)
    }

    /// The same of what neither comes nor goes.
    pub(super) fn of_series<'a>(
        metric: &MetricDescription,
        starts: impl Iterator<Item = &'a [String]>,
    ) -> Self {
        let starts = starts.map(|samples| series(metric, samples));
        let is_open = metric.labels.iter().any(|label| label.values().is_none());
        if is_open {
            let mut starts = starts;
            return if starts.all(|series| !series.is_empty()) {
                Self::Open
            } else {
                Self::None
            };
        }
        let common = starts.reduce(|one, other| &one & &other);
        let common = common.unwrap_or_default();
        let values = metric.labels.iter().filter_map(Label::values);
        let all: usize = values.map(<[String]>::len).product();
        match common.len() {
            0 => Self::None,
            found if found == all => Self::All,
            _ => Self::Some(common),
        }
    }

    fn as_json(&self) -> Value {
        match self {
            Self::All => json!("all"),
            Self::Some(series) => json!(series),
            Self::Open => json!("open"),
            Self::None => json!([]),
        }
    }
}

/// The series of a metric in these samples; of a histogram, by their counts.
fn series(metric: &MetricDescription, samples: &[String]) -> BTreeSet<Series> {
    let counted = format!("{}_count", metric.name);
    let is_histogram = !metric.buckets.is_empty();
    let name = if is_histogram { &counted } else { &metric.name };
    let own = samples.iter().filter_map(|sample| {
        let rest = sample.strip_prefix(name.as_str())?;
        match rest.strip_prefix('{') {
            Some(labelled) => labelled.rsplit_once('}').map(|(labels, _)| labels),
            None => rest.starts_with(' ').then_some(""),
        }
    });
    own.map(|labels| {
        let pairs = labels
            .split("\",")
            .filter_map(|pair| pair.split_once("=\""));
        let text = |value: &str| value.trim_end_matches('"').to_owned();
        pairs
            .map(|(name, value)| (name.to_owned(), text(value)))
            .collect()
    })
    .collect()
}

/// Every metric, one a line, so that a difference is one too.
pub(super) fn as_json(rows: &[Row]) -> String {
    let lines: Vec<_> = rows.iter().map(|row| line(row).to_string()).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

fn line(
    Row {
        metric,
        need,
        start,
        process,
    }: &Row,
) -> Value {
    let labels = metric
        .labels
        .iter()
        .map(|label| json!({ "name": label.name(), "values": label.values() }));
    json!({
        "name": metric.name,
        "type": metric.kind.as_str(),
        "unit": metric.unit.map(|unit| unit.as_str()),
        "help": metric.help,
        "labels": labels.collect::<Vec<_>>(),
        "buckets": metric.buckets,
        "at_start": start.as_json(),
        "process": process.as_str(),
        "needs": need.map(|need| need.settings).unwrap_or_default(),
    })
}

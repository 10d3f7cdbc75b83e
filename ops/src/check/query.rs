//! What is refused of one query.

use std::collections::{BTreeMap, BTreeSet};

use promql_parser::{
    label::{MatchOp, Matcher},
    parser::VectorSelector,
};

use super::Fault;
use crate::{
    catalogue::{Catalogue, Kind, Metric, Named, Series, Start},
    promql::{self, Labels, Query, Read},
};

/// What a recording rule gives.
#[derive(Debug, Clone)]
pub(super) struct Recorded {
    pub(super) labels: Labels,
}

/// What a query may read.
#[derive(Debug)]
pub(super) struct Known<'a> {
    pub(super) catalogue: &'a Catalogue,
    /// What is recorded before it.
    pub(super) recorded: &'a BTreeMap<String, Recorded>,
    /// What is recorded anywhere.
    pub(super) later: &'a BTreeSet<String>,
}

/// What a query is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reader {
    /// It must see what happens for the first time.
    Alert,
    /// It shows nothing where nothing has happened.
    Panel,
}

/// What was found in a query.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) faults: Vec<Fault>,
    /// The recording rules that it reads.
    pub(super) recorded: BTreeSet<String>,
    /// The labels of its result.
    pub(super) labels: Labels,
}

/// What Prometheus adds to all that it scrapes.
const TARGET: [&str; 2] = ["job", "instance"];

/// What may be done to counters alone.
const OF_COUNTERS: [&str; 4] = ["rate", "irate", "increase", "resets"];

pub(super) fn check(text: &str, known: &Known<'_>, reader: Reader) -> Checked {
    let query = match Query::parse(text) {
        Ok(query) => query,
        Err(error) => {
            return Checked {
                faults: vec![Fault::Syntax(error)],
                ..Checked::default()
            };
        }
    };
    let mut checked = Checked::default();
    for read in query.reads() {
        if let Some(named) = known.catalogue.named(read.name) {
            check_metric(&read, named, reader, &mut checked.faults);
        } else if let Some(recorded) = known.recorded.get(read.name) {
            checked.recorded.insert(read.name.to_owned());
            check_recorded(&read, recorded, &mut checked.faults);
        } else if known.later.contains(read.name) {
            checked.faults.push(Fault::UsedBefore(read.name.to_owned()));
        } else {
            checked
                .faults
                .push(Fault::UnknownMetric(read.name.to_owned()));
        }
    }
    for threshold in query.thresholds() {
        let named = known.catalogue.named(threshold.histogram);
        if named.is_some_and(|it| it.is_bucket && !it.metric.buckets.contains(&threshold.number)) {
            checked.faults.push(Fault::NotABound {
                metric: threshold.histogram.to_owned(),
                number: threshold.number.to_string(),
            });
        }
    }
    checked.labels = query.labels(&|selector: &VectorSelector| labels_of(selector, known));
    checked
}

fn labels_of(selector: &VectorSelector, known: &Known<'_>) -> Labels {
    let name = selector.name.as_deref().unwrap_or_default();
    if let Some(recorded) = known.recorded.get(name) {
        return recorded.labels.clone();
    }
    let Some(named) = known.catalogue.named(name) else {
        return Labels::new();
    };
    let own = named.metric.labels.iter().map(|label| label.name.clone());
    let bucket = named.is_bucket.then(|| "le".to_owned());
    own.chain(bucket).chain(TARGET.map(str::to_owned)).collect()
}

fn check_metric(read: &Read<'_>, named: Named<'_>, reader: Reader, faults: &mut Vec<Fault>) {
    let name = || read.name.to_owned();
    for matcher in read.matchers {
        if TARGET.contains(&matcher.name.as_str()) {
            continue;
        }
        if matcher.name == "le" && named.is_bucket {
            check_bound(read.name, matcher, named.metric, faults);
            continue;
        }
        let Some(label) = named.metric.label(&matcher.name) else {
            faults.push(Fault::UnknownLabel {
                metric: name(),
                label: matcher.name.clone(),
            });
            continue;
        };
        let Some(values) = &label.values else {
            continue;
        };
        let mut unknown = |value: &str| {
            faults.push(Fault::UnknownValue {
                metric: name(),
                label: matcher.name.clone(),
                value: value.to_owned(),
            });
        };
        match promql::listed(matcher) {
            Some(listed) => {
                let listed = listed.into_iter();
                listed
                    .filter(|value| !values.iter().any(|it| it == value))
                    .for_each(&mut unknown);
            }
            None if !values.iter().any(|value| matcher.is_match(value)) => unknown(&matcher.value),
            None => {}
        }
    }
    let counted = read.functions.iter().find(|it| OF_COUNTERS.contains(it));
    let Some(function) = counted else {
        return;
    };
    if named.kind != Kind::Counter {
        faults.push(Fault::RateOfGauge {
            metric: name(),
            function: (*function).to_owned(),
        });
    } else if reader == Reader::Alert && !read.has_substitute && !is_there(named.metric, read) {
        faults.push(Fault::BornAtOne(name()));
    }
}

fn check_bound(name: &str, matcher: &Matcher, metric: &Metric, faults: &mut Vec<Fault>) {
    let is_bound = |text: &str| {
        let number = text.parse::<f64>();
        text == "+Inf" || number.is_ok_and(|number| metric.buckets.contains(&number))
    };
    let listed = promql::listed(matcher).unwrap_or_else(|| vec![&matcher.value]);
    let listed = listed.into_iter();
    faults.extend(
        listed
            .filter(|text| !is_bound(text))
            .map(|text| Fault::NotABound {
                metric: name.to_owned(),
                number: text.to_owned(),
            }),
    );
}

/// What a recording rule gives has the labels that it keeps, and is no counter.
fn check_recorded(read: &Read<'_>, recorded: &Recorded, faults: &mut Vec<Fault>) {
    let name = || read.name.to_owned();
    for matcher in read.matchers {
        if !recorded.labels.contains(&matcher.name) {
            faults.push(Fault::UnknownLabel {
                metric: name(),
                label: matcher.name.clone(),
            });
        }
    }
    if let Some(function) = read.functions.iter().find(|it| OF_COUNTERS.contains(it)) {
        faults.push(Fault::RateOfGauge {
            metric: name(),
            function: (*function).to_owned(),
        });
    }
}

/// Whether the series that are read are there from the start: of those whose labels all have known values, each
/// that the matchers mean and that can be.
fn is_there(metric: &Metric, read: &Read<'_>) -> bool {
    match &metric.at_start {
        Start::Named(which) => which == "all",
        Start::Series(series) => {
            let matching = series
                .iter()
                .filter(|series| matches(series, read.matchers));
            // Each value that is asked for is among them.
            let matching: Vec<_> = matching.collect();
            let asked = read
                .matchers
                .iter()
                .filter(|it| it.op == MatchOp::Equal || is_pattern(it));
            !matching.is_empty()
                && asked
                    .filter_map(|it| Some((it, promql::listed(it)?)))
                    .all(|(it, values)| {
                        values.iter().all(|value| {
                            let mut with = matching.iter();
                            with.any(|series| {
                                series.get(&it.name).is_none_or(|found| found == value)
                            })
                        })
                    })
        }
    }
}

const fn is_pattern(matcher: &Matcher) -> bool {
    matches!(matcher.op, MatchOp::Re(_))
}

fn matches(series: &Series, matchers: &[Matcher]) -> bool {
    matchers.iter().all(|matcher| {
        let value = series.get(&matcher.name);
        value.is_none_or(|value| matcher.is_match(value))
    })
}

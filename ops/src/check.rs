//! What is refused of rules, alerts and panels.

mod query;

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use self::query::Recorded;
use crate::{
    alerts::{Alert, Quickness, Severity},
    catalogue::Catalogue,
    dashboards::Dashboard,
    promql::{Labels, Query},
    rules::Group,
    slo::{self, Slo},
    timing,
};

/// Why something is refused.
#[derive(Debug, Clone, PartialEq, Error)]
pub(crate) enum Fault {
    #[error("cannot be parsed: {0}")]
    Syntax(String),
    #[error("no metric and no recording rule is called {0}")]
    UnknownMetric(String),
    #[error("{metric} has no label {label}")]
    UnknownLabel { metric: String, label: String },
    #[error("{label} of {metric} is never {value:?}")]
    UnknownValue {
        metric: String,
        label: String,
        value: String,
    },
    #[error("{function} of {metric}, which is no counter")]
    RateOfGauge { metric: String, function: String },
    #[error("{number} is no bound of a bucket of {metric}")]
    NotABound { metric: String, number: String },
    #[error("{0} is used before it is recorded")]
    UsedBefore(String),
    #[error("{0} is recorded twice with the same labels")]
    RecordedTwice(String),
    #[error("{0} is recorded and never used")]
    NeverUsed(String),
    #[error("{0} is printed, and not a label of the result")]
    DroppedLabel(String),
    #[error("takes {0} s from cause to message; a page has {most} s", most = timing::MOST.as_secs())]
    TooSlow(u64),
    #[error("is to be covered by {0}, which is no page in time")]
    NotCovered(String),
    #[error("{factor} × (1 − {objective}) is 1 or more: no share of failures reaches it")]
    Unreachable { factor: f64, objective: f64 },
    #[error(
        "the first of {0} is not seen: its series are not there from the start, and nothing stands in for them"
    )]
    BornAtOne(String),
    #[error("reads back over {0} s, which a page with `for` over 30 s may not")]
    SlowWindow(u64),
}

/// A fault and where it is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    pub(crate) place: String,
    pub(crate) fault: Fault,
}

/// Everything that is checked together.
#[derive(Debug)]
pub(crate) struct Subject<'a> {
    pub(crate) catalogue: &'a Catalogue,
    pub(crate) recordings: &'a [Group],
    pub(crate) alerts: &'a [Alert],
    pub(crate) dashboards: &'a [Dashboard],
    pub(crate) slos: &'a [Slo],
}

/// Everything that is to be refused.
pub(crate) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut recorded = BTreeMap::new();
    let all: BTreeSet<_> = subject
        .recordings
        .iter()
        .flat_map(|group| group.recordings.iter().map(|it| it.name.clone()))
        .collect();
    let mut used = BTreeSet::new();
    let mut seen = BTreeSet::new();
    for group in subject.recordings {
        for rule in &group.recordings {
            let place = format!("recording rule {}", rule.name);
            let mut find = |fault| {
                findings.push(Finding {
                    place: place.clone(),
                    fault,
                })
            };
            if !seen.insert((rule.name.clone(), rule.labels.clone())) {
                find(Fault::RecordedTwice(rule.name.clone()));
            }
            let known = query::Known {
                catalogue: subject.catalogue,
                recorded: &recorded,
                later: &all,
            };
            let checked = query::check(&rule.expr, &known, query::Reader::Panel);
            checked.faults.into_iter().for_each(&mut find);
            used.extend(checked.recorded);
            let mut labels = checked.labels;
            labels.extend(rule.labels.iter().map(|(name, _)| (*name).to_owned()));
            recorded.insert(rule.name.clone(), Recorded { labels });
        }
    }
    let known = query::Known {
        catalogue: subject.catalogue,
        recorded: &recorded,
        later: &all,
    };
    for alert in subject.alerts {
        let checked = check_alert(alert, subject.alerts, &known, &mut used);
        findings.extend(checked.into_iter().map(|fault| Finding {
            place: format!("alert {}", alert.name),
            fault,
        }));
    }
    for (place, expr) in subject.dashboards.iter().flat_map(Dashboard::queries) {
        let checked = query::check(&expr, &known, query::Reader::Panel);
        used.extend(checked.recorded);
        let faults = checked.faults.into_iter();
        findings.extend(faults.map(|fault| Finding {
            place: place.clone(),
            fault,
        }));
    }
    for name in all.difference(&used) {
        findings.push(Finding {
            place: format!("recording rule {name}"),
            fault: Fault::NeverUsed(name.clone()),
        });
    }
    for (factor, objective) in slo::unreachable(subject.slos) {
        findings.push(Finding {
            place: "objectives".to_owned(),
            fault: Fault::Unreachable { factor, objective },
        });
    }
    findings
}

fn check_alert(
    alert: &Alert,
    all: &[Alert],
    known: &query::Known<'_>,
    used: &mut BTreeSet<String>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for rule in &alert.rules {
        let checked = query::check(&rule.expr, known, query::Reader::Alert);
        faults.extend(checked.faults);
        used.extend(checked.recorded);
        let mut labels = checked.labels;
        labels.extend(rule.labels.iter().map(|(name, _)| (*name).to_owned()));
        for printed in printed(alert) {
            // Of several conditions, each says what it has.
            if !labels.contains(&printed) && alert.rules.len() == 1 {
                faults.push(Fault::DroppedLabel(printed));
            }
        }
        if rule.severity == Severity::Page {
            faults.extend(too_slow(rule, all));
        }
    }
    // A label that no condition has is printed as nothing.
    let any: Labels = alert
        .rules
        .iter()
        .flat_map(|rule| {
            let own = rule.labels.iter().map(|(name, _)| (*name).to_owned());
            let found = query::check(&rule.expr, known, query::Reader::Alert).labels;
            found.into_iter().chain(own).collect::<Vec<_>>()
        })
        .collect();
    if alert.rules.len() > 1 {
        let dropped = printed(alert)
            .into_iter()
            .filter(|label| !any.contains(label));
        faults.extend(dropped.map(Fault::DroppedLabel));
    }
    faults
}

fn too_slow(rule: &crate::alerts::Rule, all: &[Alert]) -> Option<Fault> {
    if let Quickness::After(other) = rule.quickness {
        let in_time = |it: &&crate::alerts::Rule| {
            let takes = it.worst_case();
            it.severity == Severity::Page && takes.is_some_and(|takes| takes <= timing::MOST)
        };
        let covering = all.iter().find(|alert| alert.name == other);
        let is_covered = covering.is_some_and(|alert| alert.rules.iter().any(|it| in_time(&it)));
        return (!is_covered).then(|| Fault::NotCovered(other.to_owned()));
    }
    let Some(takes) = rule.worst_case() else {
        return Some(Fault::TooSlow(u64::MAX));
    };
    if takes > timing::MOST {
        return Some(Fault::TooSlow(takes.as_secs()));
    }
    // What reads a rate climbs first.
    let query = Query::parse(&rule.expr).ok()?;
    let longest = query.reads().iter().filter_map(|read| read.range).max()?;
    let seconds = longest.as_secs();
    let is_rate = matches!(rule.quickness, Quickness::Climbs(_));
    (seconds > 120 || (is_rate && rule.held > 30)).then_some(Fault::SlowWindow(seconds))
}

/// The labels that the texts of an alert print.
fn printed(alert: &Alert) -> BTreeSet<String> {
    let texts = [alert.summary, alert.description];
    let labels = texts.iter().flat_map(|text| text.split("$labels.").skip(1));
    labels
        .map(|rest| {
            let name = rest
                .chars()
                .take_while(|it| it.is_ascii_alphanumeric() || *it == '_');
            name.collect()
        })
        .collect()
}

#[cfg(test)]
mod tests;

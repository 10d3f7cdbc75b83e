//! Recording rules, and rules as files for Prometheus.

use crate::{
    alerts::{self, Alert},
    slo,
    yaml::Yaml,
};

/// A recording rule.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    pub(crate) name: String,
    pub(crate) expr: String,
    pub(crate) labels: Vec<(&'static str, String)>,
}

/// Rules that are evaluated one after another.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) interval: Option<&'static str>,
    pub(crate) recordings: Vec<Recording>,
}

impl Recording {
    pub(crate) fn new(name: impl Into<String>, expr: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            expr: expr.into(),
            labels: Vec::new(),
        }
    }

    pub(crate) fn with_label(mut self, name: &'static str, value: &str) -> Self {
        self.labels.push((name, value.to_owned()));
        self
    }

    fn yaml(&self) -> Yaml {
        let mut members = vec![
            ("record".to_owned(), Yaml::text(&self.name)),
            ("expr".to_owned(), Yaml::text(&self.expr)),
        ];
        if !self.labels.is_empty() {
            members.push(("labels".to_owned(), labels(&self.labels)));
        }
        Yaml::Map(members)
    }
}

impl Group {
    pub(crate) const fn recording(
        name: &'static str,
        interval: Option<&'static str>,
        recordings: Vec<Recording>,
    ) -> Self {
        Self {
            name,
            interval,
            recordings,
        }
    }

    fn yaml(&self) -> Yaml {
        let rules = Yaml::list(self.recordings.iter().map(Recording::yaml));
        let mut members = vec![("name".to_owned(), Yaml::text(self.name))];
        if let Some(interval) = self.interval {
            members.push(("interval".to_owned(), Yaml::plain(interval)));
        }
        members.push(("rules".to_owned(), rules));
        Yaml::Map(members)
    }
}

/// All that is recorded, in the order in which it is evaluated.
pub(crate) fn recordings() -> Vec<Group> {
    slo::recordings().into()
}

/// `recording.yml`.
pub(crate) fn recording_file() -> String {
    file(recordings().iter().map(Group::yaml))
}

/// `alerts.yml` or `slo.yml`: a group for each alert.
pub(crate) fn alert_file(alerts: &[Alert]) -> String {
    file(alerts.iter().map(|alert| {
        let rules = alert.rules.iter().map(|rule| rule_yaml(alert, rule));
        Yaml::map([
            ("name", Yaml::text(alert.full_name())),
            ("rules", Yaml::list(rules)),
        ])
    }))
}

fn rule_yaml(alert: &Alert, rule: &alerts::Rule) -> Yaml {
    let mut all = vec![
        ("severity", rule.severity.as_str().to_owned()),
        ("component", alert.component.to_owned()),
    ];
    all.extend(rule.labels.iter().cloned());
    let mut members = vec![
        ("alert".to_owned(), Yaml::text(alert.full_name())),
        ("expr".to_owned(), Yaml::text(&rule.expr)),
    ];
    if rule.held > 0 {
        members.push(("for".to_owned(), Yaml::plain(format!("{}s", rule.held))));
    }
    members.push(("labels".to_owned(), labels(&all)));
    let annotations = alert.annotations();
    let annotations = annotations
        .into_iter()
        .map(|(name, text)| (name.to_owned(), Yaml::text(text)));
    members.push(("annotations".to_owned(), Yaml::Map(annotations.collect())));
    Yaml::Map(members)
}

fn file(groups: impl Iterator<Item = Yaml>) -> String {
    Yaml::map([("groups", Yaml::list(groups))]).file()
}

fn labels(labels: &[(&'static str, String)]) -> Yaml {
    let labels = labels
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Yaml::text(value)));
    Yaml::Map(labels.collect())
}

/// The cases of an alert, for `promtool test rules`.
pub(crate) fn case_file(alert: &Alert) -> String {
    let tests = alert.cases.iter().map(|case| {
        let series = case.series.iter().map(|(series, values)| {
            Yaml::map([
                ("series", Yaml::text(*series)),
                ("values", Yaml::text(*values)),
            ])
        });
        // What fires, whatever its annotations: those are read in the test that fires it on a real Prometheus.
        let fires = format!(
            "count(ALERTS{{alertname=\"{}\", alertstate=\"firing\"}}) or vector(0)",
            alert.full_name()
        );
        let sample = Yaml::map([
            ("labels", Yaml::text("{}")),
            ("value", Yaml::plain(case.firing)),
        ]);
        let expectation = Yaml::map([
            ("expr", Yaml::text(fires)),
            ("eval_time", Yaml::plain(case.at)),
            ("exp_samples", Yaml::list([sample])),
        ]);
        Yaml::map([
            ("name", Yaml::text(case.name)),
            ("interval", Yaml::plain(case.interval)),
            ("input_series", Yaml::list(series)),
            ("promql_expr_test", Yaml::list([expectation])),
        ])
    });
    let is_on_budgets = slo::alerts().iter().any(|it| it.name == alert.name);
    let files: &[_] = if is_on_budgets {
        &["../rules/recording.yml", "../rules/slo.yml"]
    } else {
        &["../rules/alerts.yml"]
    };
    // What lasts for hours is looked at each minute.
    let is_long = alert.cases.iter().any(|case| case.interval == "1m");
    let evaluation = if is_long { "1m" } else { "15s" };
    Yaml::map([
        ("rule_files", Yaml::texts(files.iter().copied())),
        ("evaluation_interval", Yaml::plain(evaluation)),
        ("tests", Yaml::list(tests)),
    ])
    .file()
}

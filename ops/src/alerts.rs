//! The alerts, and which components they are of.

mod audit;
mod keys;
mod limits;
mod missing;
mod personal_data;
mod probes;
mod quality;
mod service;
mod telemetry;

use std::time::Duration;

use crate::{slo, timing};

pub(crate) use self::missing::unmatched;

/// Something that somebody has to know of.
#[derive(Debug, Clone)]
pub(crate) struct Alert {
    /// Its name without the prefix.
    pub(crate) name: &'static str,
    /// The part of the service that it is of.
    pub(crate) component: &'static str,
    /// What it says in one line.
    pub(crate) summary: &'static str,
    /// What is limited for whom, the value in words, the first step.
    pub(crate) description: &'static str,
    /// Where to look.
    pub(crate) dashboard: &'static str,
    pub(crate) rules: Vec<Rule>,
    pub(crate) cases: Vec<Case>,
}

/// A condition.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub(crate) expr: String,
    /// For how many seconds it has to hold.
    pub(crate) held: u64,
    pub(crate) severity: Severity,
    pub(crate) quickness: Quickness,
    pub(crate) labels: Vec<(&'static str, String)>,
}

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    /// Somebody is woken.
    Page,
    /// Somebody looks on the next day of work.
    Ticket,
    /// A heartbeat, whose absence is the alarm.
    Heartbeat,
}

/// How soon after its cause a condition begins to hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Quickness {
    /// At the next scrape: a state, or what happened once.
    AtOnce,
    /// After so many seconds, until a rate is over its limit.
    Climbs(f64),
    /// This alert tells of a total failure before it; this one is for what is less than that.
    After(&'static str),
    /// It need not be soon.
    Slow,
}

/// What Prometheus is given, and how many alerts fire then.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) series: Vec<(&'static str, &'static str)>,
    /// Between two values of a series.
    pub(crate) interval: &'static str,
    pub(crate) at: &'static str,
    pub(crate) firing: u32,
}

/// The label that tells the conditions of an alert apart.
const CONDITION: &str = "condition";

/// What every alert's name begins with.
pub(crate) const PREFIX: &str = "Portcullis";

const REPOSITORY: &str = "https://github.com/portcullis-rs/portcullis/blob/main";

impl Alert {
    pub(crate) fn full_name(&self) -> String {
        format!("{PREFIX}{}", self.name)
    }

    /// The name of its runbook in `docs/runbooks`.
    pub(crate) fn runbook(&self) -> String {
        let mut name = String::new();
        for letter in self.name.chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(letter.to_ascii_lowercase());
        }
        format!("{name}.md")
    }

    pub(crate) fn runbook_url(&self) -> String {
        format!("{REPOSITORY}/docs/runbooks/{}", self.runbook())
    }

    pub(crate) fn annotations(&self) -> Vec<(&'static str, String)> {
        vec![
            ("summary", self.summary.to_owned()),
            ("description", self.description.to_owned()),
            ("runbook_url", self.runbook_url()),
            ("dashboard", format!("portcullis-{}", self.dashboard)),
        ]
    }
}

impl Rule {
    /// A condition that somebody is woken for.
    pub(crate) fn page(expr: &str, held: u64, quickness: Quickness) -> Self {
        Self {
            expr: expr.to_owned(),
            held,
            severity: Severity::Page,
            quickness,
            labels: Vec::new(),
        }
    }

    /// A condition that can wait until the next day of work.
    pub(crate) fn ticket(expr: &str, held: u64) -> Self {
        Self {
            expr: expr.to_owned(),
            held,
            severity: Severity::Ticket,
            quickness: Quickness::Slow,
            labels: Vec::new(),
        }
    }

    /// Tells it from the other conditions of its alert, which may hold at once.
    pub(crate) fn named(mut self, condition: &str) -> Self {
        self.labels.push((CONDITION, condition.to_owned()));
        self
    }

    /// From the cause to the message, at most; `None` where nothing is promised.
    pub(crate) fn worst_case(&self) -> Option<Duration> {
        let climbs = match self.quickness {
            Quickness::AtOnce => Duration::ZERO,
            Quickness::Climbs(seconds) => Duration::from_secs_f64(seconds),
            Quickness::After(_) | Quickness::Slow => return None,
        };
        Some(timing::worst_case(climbs, Duration::from_secs(self.held)))
    }
}

impl Severity {
    /// As the label has it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Ticket => "ticket",
            Self::Heartbeat => "none",
        }
    }
}

impl Case {
    /// With a value of each series a minute.
    pub(crate) fn new(
        name: &'static str,
        series: &[(&'static str, &'static str)],
        at: &'static str,
        firing: u32,
    ) -> Self {
        Self {
            name,
            series: series.to_vec(),
            interval: "1m",
            at,
            firing,
        }
    }

    /// With a value of each series as often as the service is scraped.
    pub(crate) fn scraped(
        name: &'static str,
        series: &[(&'static str, &'static str)],
        at: &'static str,
        firing: u32,
    ) -> Self {
        Self {
            interval: "15s",
            ..Self::new(name, series, at, firing)
        }
    }
}

/// Every alert but those on budgets.
pub(crate) fn of_components() -> Vec<Alert> {
    [
        service::alerts(),
        limits::alerts(),
        keys::alerts(),
        personal_data::alerts(),
        probes::alerts(),
        quality::alerts(),
        audit::alerts(),
        telemetry::alerts(),
    ]
    .concat()
}

/// Every alert.
pub(crate) fn all() -> Vec<Alert> {
    [of_components(), slo::alerts()].concat()
}

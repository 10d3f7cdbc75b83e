//! What the probe finds, as metrics of a process of its own.

use std::{num::NonZeroUsize, time::Duration};

use portcullis_telemetry::{
    Buckets, Label, MetricError, Registry,
    prometheus_client::metrics::{gauge::Gauge, histogram::Histogram},
};

/// What a tenant comes for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Journey {
    Write,
    Lead,
    Keys,
}

/// A request of a journey, and what has to come of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// An event is accepted.
    Event,
    /// The same again is counted as a duplicate.
    Duplicate,
    /// A lead is created.
    Create,
    /// It is read back, masked.
    Read,
    /// It is found by its e-mail.
    Find,
    /// It is erased.
    Erase,
    /// It is not there any more.
    Gone,
    /// A revoked key is refused.
    Revoked,
}

impl Journey {
    pub(crate) const ALL: [Self; 3] = [Self::Write, Self::Lead, Self::Keys];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Lead => "lead",
            Self::Keys => "keys",
        }
    }
}

impl Step {
    pub(crate) const ALL: [Self; 8] = [
        Self::Event,
        Self::Duplicate,
        Self::Create,
        Self::Read,
        Self::Find,
        Self::Erase,
        Self::Gone,
        Self::Revoked,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Duplicate => "duplicate",
            Self::Create => "create",
            Self::Read => "read",
            Self::Find => "find",
            Self::Erase => "erase",
            Self::Gone => "gone",
            Self::Revoked => "revoked",
        }
    }

    pub(crate) const fn journey(self) -> Journey {
        match self {
            Self::Event | Self::Duplicate => Journey::Write,
            Self::Create | Self::Read | Self::Find | Self::Erase | Self::Gone => Journey::Lead,
            Self::Revoked => Journey::Keys,
        }
    }
}

/// Where the time of a step is counted, in seconds: the objective of 120 ms is one of the bounds, and so is the
/// deadline of a step.
const BOUNDS: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.12, 0.25, 0.5, 1.0, 5.0];

/// Which steps succeed, how long they take, and how often in a row a journey has failed. A scrape sees one round
/// of several, so that the time is a histogram, which has them all, and so is the run of failures a number.
#[derive(Debug)]
pub(crate) struct ProbeMetrics {
    /// In the order of [`Step::ALL`].
    steps: [StepMetrics; Step::ALL.len()],
}

#[derive(Debug)]
struct StepMetrics {
    success: Gauge,
    seconds: Histogram,
    failed_rounds: Gauge,
}

impl ProbeMetrics {
    /// Every series is there from the start; a step that was not tried yet has not succeeded.
    pub(crate) fn register(registry: &Registry) -> Result<Self, MetricError> {
        let labels = || {
            [
                Label::closed("journey", Journey::ALL.map(Journey::as_str)),
                Label::closed("step", Step::ALL.map(Step::as_str)),
            ]
        };
        // One more than there are: a family that is full shows the series of its overflow.
        let cap = NonZeroUsize::MIN.saturating_add(Step::ALL.len());
        let success = registry.gauge_family(
            "probe_success",
            "Whether the step succeeded in the last round of its journey; one that was not reached did not",
            labels(),
            cap,
        )?;
        let seconds = registry.histogram_family(
            "probe_seconds",
            "Time from the request of a step to the end of its answer, or to its deadline",
            labels(),
            Buckets::new(BOUNDS),
            cap,
        )?;
        let failed_rounds = registry.gauge_family(
            "probe_failed_rounds",
            "How many rounds of the journey failed one after the other, at the first step that failed in the last \
             one; 0 at all others",
            labels(),
            cap,
        )?;
        let steps = Step::ALL.map(|step| {
            let values = [step.journey().as_str(), step.as_str()];
            StepMetrics {
                success: success.with(values),
                seconds: seconds.with(values),
                failed_rounds: failed_rounds.with(values),
            }
        });
        Ok(Self { steps })
    }

    /// What came of a step that was tried.
    pub(crate) fn tried(&self, step: Step, succeeded: bool, took: Duration) {
        self.of(step).success.set(succeeded.into());
        self.of(step).seconds.observe(took.as_secs_f64());
    }

    /// A step had nothing to go on with.
    pub(crate) fn not_reached(&self, step: Step) {
        self.of(step).success.set(0);
    }

    /// So many rounds of a journey failed one after the other, the last one at this step.
    pub(crate) fn round_ended(&self, journey: Journey, failed_at: Option<Step>, in_a_row: u32) {
        for step in Step::ALL
            .into_iter()
            .filter(|step| step.journey() == journey)
        {
            let is_here = failed_at == Some(step);
            let rounds = if is_here { in_a_row.into() } else { 0 };
            self.of(step).failed_rounds.set(rounds);
        }
    }

    const fn of(&self, step: Step) -> &StepMetrics {
        &self.steps[step as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::{movement::assert_moved, scraped};

    fn sample(name: &str, step: Step) -> String {
        let (journey, step) = (step.journey().as_str(), step.as_str());
        format!("{name}{{journey=\"{journey}\",step=\"{step}\"}}")
    }

    #[test]
    fn every_step_has_its_series_from_the_start_and_each_is_moved_alone() {
        let registry = Registry::new();
        let metrics = ProbeMetrics::register(&registry).unwrap();
        for step in Step::ALL {
            let before = scraped(&registry);
            metrics.tried(step, true, Duration::from_millis(120));
            metrics.round_ended(step.journey(), Some(step), 3);
            let after = scraped(&registry);
            assert_moved(
                &before,
                &after,
                ["probe_success", "probe_seconds", "probe_failed_rounds"],
            );
            for name in [
                "probe_success",
                "probe_seconds_count",
                "probe_failed_rounds",
            ] {
                assert_eq!(before[&sample(name, step)], 0.0, "{name}");
            }
            metrics.not_reached(step);
            assert_eq!(scraped(&registry)[&sample("probe_success", step)], 0.0);
        }
        let series = scraped(&registry);
        let of = |name: &str| series.keys().filter(|it| it.starts_with(name)).count();
        assert_eq!(of("probe_success{"), 8);
        assert_eq!(of("probe_failed_rounds{"), 8);
    }

    #[test]
    fn a_run_of_failures_stands_at_the_step_that_failed_last() {
        let registry = Registry::new();
        let metrics = ProbeMetrics::register(&registry).unwrap();
        let at = |step| scraped(&registry)[&sample("probe_failed_rounds", step)];
        metrics.round_ended(Journey::Lead, Some(Step::Create), 1);
        metrics.round_ended(Journey::Write, Some(Step::Event), 1);
        metrics.round_ended(Journey::Lead, Some(Step::Find), 2);
        assert_eq!(
            (at(Step::Create), at(Step::Find), at(Step::Event)),
            (0.0, 2.0, 1.0)
        );
        metrics.round_ended(Journey::Lead, None, 0);
        assert_eq!((at(Step::Find), at(Step::Event)), (0.0, 1.0));
    }
}

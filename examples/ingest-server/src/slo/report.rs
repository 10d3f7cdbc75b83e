//! What is shown of the objectives.

use serde::Serialize;
use time::OffsetDateTime;

use super::{
    burn::{self, BurnAlert},
    counts::Counts,
    objective::{budget, objective},
    window::Window,
};
use crate::{pipeline::objectives::Slo, store::Slot};

/// Every objective, and how it is kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct SloReport {
    slos: Vec<ObjectiveReport>,
}

/// What there was of one objective.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    /// In each of [`Window::ALL`].
    pub(super) counts: [Counts; 8],
    /// The oldest slot that anybody kept of the longest.
    pub(super) first: Option<Slot>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct ObjectiveReport {
    slo: &'static str,
    /// The share that is to be good.
    objective: f64,
    window: &'static str,
    /// Which share of the window there is a history of.
    covered: f64,
    good: u64,
    valid: u64,
    /// The share that was good, if anything counts.
    sli: Option<f64>,
    budget_remaining: Option<f64>,
    burn: BurnRates,
    state: State,
    alerts: Vec<BurnAlert>,
}

/// How many times faster than what lasts for 30 days; none without anything that counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct BurnRates {
    #[serde(rename = "5m")]
    five_minutes: Option<f64>,
    #[serde(rename = "1h")]
    hour: Option<f64>,
    #[serde(rename = "6h")]
    six_hours: Option<f64>,
    #[serde(rename = "3d")]
    three_days: Option<f64>,
}

/// The worst of what holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// Within budget, and not about to leave it.
    Ok,
    /// A rule holds.
    Burning,
    /// More was bad than may be.
    Exhausted,
    /// Nothing counts, of which nothing is known.
    NoData,
}

impl SloReport {
    /// Of each of [`Slo::ALL`], in that order.
    pub(super) fn new(past: &[Past; 4], now: OffsetDateTime) -> Self {
        let pairs = Slo::ALL.into_iter().zip(past);
        Self {
            slos: pairs
                .map(|(slo, past)| ObjectiveReport::new(slo, past, now))
                .collect(),
        }
    }
}

impl ObjectiveReport {
    fn new(slo: Slo, past: &Past, now: OffsetDateTime) -> Self {
        let in_window = |window: Window| past.counts[window as usize];
        let burn = |window| in_window(window).bad_share().map(|bad| bad / budget(slo));
        let all = in_window(Window::ThirtyDays);
        let budget_remaining = burn(Window::ThirtyDays).map(|used| 1.0 - used);
        let alerts = burn::alerts(slo, &past.counts);
        let state = match budget_remaining {
            None => State::NoData,
            Some(left) if left <= 0.0 => State::Exhausted,
            _ if !alerts.is_empty() => State::Burning,
            _ => State::Ok,
        };
        Self {
            slo: slo.as_str(),
            objective: objective(slo),
            window: Window::ThirtyDays.as_str(),
            covered: past.first.map_or(0.0, |first| covered(first, now)),
            good: all.good,
            valid: all.valid(),
            sli: all
                .bad_share()
                .map(|_| all.good as f64 / all.valid() as f64),
            budget_remaining,
            burn: BurnRates {
                five_minutes: burn(Window::FiveMinutes),
                hour: burn(Window::Hour),
                six_hours: burn(Window::SixHours),
                three_days: burn(Window::ThreeDays),
            },
            state,
            alerts,
        }
    }
}

/// As `slo:window_covered:ratio` has it of Prometheus: how far back the oldest goes.
fn covered(first: Slot, now: OffsetDateTime) -> f64 {
    let age = now.unix_timestamp().saturating_sub(first.began());
    (age as f64 / Window::ThirtyDays.seconds()).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use time::Duration;

    use super::*;

    const START: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn report(slo: Slo, counts: [Counts; 8], days: i64) -> Value {
        let mut past: [Past; 4] = Default::default();
        past[slo as usize] = Past {
            counts,
            first: Some(Slot::of(START)),
        };
        let report = SloReport::new(&past, START + Duration::days(days));
        let report = serde_json::to_value(report).unwrap();
        report["slos"][slo as usize].clone()
    }

    fn counts(good: u64, bad: u64) -> Counts {
        Counts { good, bad }
    }

    #[test]
    fn the_members_are_those_that_were_promised() {
        // Until an hour ago three in a thousand, since then none.
        let mut all = [counts(1_000, 0); 8];
        all[Window::SixHours as usize] = counts(4_985, 15);
        all[Window::Day as usize] = counts(99_985, 15);
        all[Window::ThreeDays as usize] = counts(99_985, 15);
        all[Window::ThirtyDays as usize] = counts(99_950, 50);
        let expected = json!({
            "slo": "availability",
            "objective": 0.999,
            "window": "30d",
            "covered": 0.4,
            "good": 99_950,
            "valid": 100_000,
            "sli": 0.9995,
            "budget_remaining": 0.5,
            "burn": { "5m": 0.0, "1h": 0.0, "6h": 3.0, "3d": 0.15 },
            "state": "ok",
            "alerts": []
        });
        assert_eq!(report(Slo::Availability, all, 12), expected);
    }

    #[test]
    fn the_state_is_the_worst_of_what_holds() {
        for (slo, recent, all, state, left) in [
            // Nothing counts: not 100 %.
            (Slo::Durable, counts(0, 0), counts(0, 0), "no_data", None),
            (Slo::Durable, counts(50, 0), counts(99, 0), "ok", Some(1.0)),
            (
                Slo::Latency,
                counts(0, 20),
                counts(780, 20),
                "burning",
                Some(0.5),
            ),
            // One in a hundred is all that may be.
            (
                Slo::Durable,
                counts(99, 0),
                counts(99, 1),
                "exhausted",
                Some(0.0),
            ),
            (
                Slo::Durable,
                counts(0, 50),
                counts(98, 50),
                "exhausted",
                Some(-32.78),
            ),
        ] {
            let mut counts = [recent; 8];
            counts[Window::ThirtyDays as usize] = all;
            let report = report(slo, counts, 30);
            assert_eq!(report["state"], state, "{report}");
            assert_eq!(report["covered"], 1.0);
            let told = report["budget_remaining"].as_f64();
            let is_near = match (told, left) {
                (Some(told), Some(left)) => (told - left).abs() < 0.01,
                (told, left) => told == left,
            };
            assert!(is_near, "{report}");
            assert_eq!(report["sli"].is_null(), state == "no_data");
            assert_eq!(report["burn"]["5m"].is_null(), state == "no_data");
        }
    }

    #[test]
    fn what_burns_says_by_which_rules_as_prometheus_does() {
        let mut all = [counts(10, 90); 8];
        all[Window::ThirtyDays as usize] = counts(1_000_000, 90);
        let report = report(Slo::Availability, all, 45);
        assert_eq!(report["state"], "burning");
        let alert = |severity, window| json!({ "name": "PortcullisErrorBudgetBurn", "severity": severity, "window": window });
        let expected = [
            alert("page", "1h"),
            alert("page", "6h"),
            alert("ticket", "1d"),
            alert("ticket", "3d"),
        ];
        assert_eq!(report["alerts"], json!(expected));
        assert_eq!(report["covered"], 1.0);
    }
}

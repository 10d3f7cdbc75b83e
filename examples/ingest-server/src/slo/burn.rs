//! When what may fail is used up too fast: the rules of `deploy/monitoring/rules/slo.yml`.

use serde::Serialize;

use super::{counts::Counts, objective::budget, window::Window};
use crate::pipeline::objectives::Slo;

/// A rule that holds, in the words of Prometheus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct BurnAlert {
    name: &'static str,
    severity: &'static str,
    /// The longer of its two.
    window: &'static str,
}

/// How much faster than what lasts for 30 days, over a long window and still over a short one.
#[derive(Debug, Clone, Copy)]
struct Burn {
    factor: f64,
    long: Window,
    short: Window,
    severity: &'static str,
}

const ALERT: &str = "PortcullisErrorBudgetBurn";

/// The four of the SRE workbook.
const BURNS: [Burn; 4] = [
    Burn {
        factor: 14.4,
        long: Window::Hour,
        short: Window::FiveMinutes,
        severity: "page",
    },
    Burn {
        factor: 6.0,
        long: Window::SixHours,
        short: Window::HalfAnHour,
        severity: "page",
    },
    Burn {
        factor: 3.0,
        long: Window::Day,
        short: Window::TwoHours,
        severity: "ticket",
    },
    Burn {
        factor: 1.0,
        long: Window::ThreeDays,
        short: Window::SixHours,
        severity: "ticket",
    },
];

/// So much has to be bad in the long window: of little, one failure is a large share.
const AT_LEAST: u64 = 10;

/// Which rules hold, where so much was counted in each of [`Window::ALL`].
pub(super) fn alerts(slo: Slo, counts: &[Counts; 8]) -> Vec<BurnAlert> {
    let holds = |burn: &&Burn| {
        let limit = burn.factor * budget(slo);
        let is_over = |window: Window| {
            let share = counts[window as usize].bad_share();
            share.is_some_and(|share| share > limit)
        };
        is_over(burn.long) && is_over(burn.short) && counts[burn.long as usize].bad >= AT_LEAST
    };
    let alert = |burn: &Burn| BurnAlert {
        name: ALERT,
        severity: burn.severity,
        window: burn.long.as_str(),
    };
    BURNS.iter().filter(holds).map(alert).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = include_str!("../../../../deploy/monitoring/rules/slo.yml");

    #[test]
    fn the_service_and_its_monitoring_have_the_same_rules() {
        let rules: Vec<&str> = RULES.split("- alert: ").collect();
        for slo in Slo::ALL {
            for burn in &BURNS {
                let (name, long, short) = (slo.as_str(), burn.long.as_str(), burn.short.as_str());
                let limit = format!("{} * {}", burn.factor, budget(slo));
                let said = [
                    format!("{ALERT:?}\n"),
                    format!("slo:bad:ratio_increase{long}{{slo={name:?}}} > {limit}\n"),
                    format!("slo:bad:ratio_increase{short}{{slo={name:?}}} > {limit}\n"),
                    format!("slo:bad:increase{long}{{slo={name:?}}} >= {AT_LEAST}\n"),
                    format!("severity: {:?}\n", burn.severity),
                    format!("window: {long:?}\n"),
                ];
                let is_committed = rules
                    .iter()
                    .any(|rule| said.iter().all(|said| rule.contains(said)));
                assert!(is_committed, "{name} {long}");
            }
        }
        let burns = rules
            .iter()
            .filter(|rule| rule.starts_with(&format!("{ALERT:?}")));
        assert_eq!(burns.count(), Slo::ALL.len() * BURNS.len());
    }

    /// What was counted in each window, where nothing is said as in the one before.
    fn counts(said: &[(Window, u64, u64)]) -> [Counts; 8] {
        let mut last = Counts::default();
        Window::ALL.map(|window| {
            if let Some((_, good, bad)) = said.iter().find(|(said, ..)| *said == window) {
                last = Counts {
                    good: *good,
                    bad: *bad,
                };
            }
            last
        })
    }

    fn windows(slo: Slo, said: &[(Window, u64, u64)]) -> Vec<&'static str> {
        let alerts = alerts(slo, &counts(said));
        alerts.iter().map(|alert| alert.window).collect()
    }

    #[test]
    fn a_rule_holds_above_its_limit_in_both_windows_and_from_ten_on() {
        use Window::{Day, FiveMinutes, Hour, SixHours, ThreeDays, TwoHours};
        // 14.4 times 5 % is 72 %.
        assert_eq!(
            windows(Slo::Latency, &[(FiveMinutes, 28, 72)]),
            ["6h", "1d", "3d"]
        );
        assert_eq!(
            windows(Slo::Latency, &[(FiveMinutes, 27, 73)]),
            ["1h", "6h", "1d", "3d"]
        );
        // Over by now: the short window is good again.
        let over = [(FiveMinutes, 100, 0), (Hour, 0, 100)];
        assert!(!windows(Slo::Latency, &over).contains(&"1h"));
        // Just begun: the long one is good still.
        let begun = [(FiveMinutes, 0, 100), (Hour, 10_000, 100)];
        assert_eq!(windows(Slo::Latency, &begun), [] as [&str; 0]);
        // Nine are too few.
        assert_eq!(
            windows(Slo::Availability, &[(FiveMinutes, 0, 9)]),
            [] as [&str; 0]
        );
        assert_eq!(windows(Slo::Availability, &[(FiveMinutes, 0, 10)]).len(), 4);
        // Slow, and for days: a ticket.
        let slow = [
            (FiveMinutes, 998, 2),
            (TwoHours, 9_980, 20),
            (SixHours, 49_900, 100),
            (Day, 99_950, 150),
            (ThreeDays, 299_500, 500),
        ];
        assert_eq!(windows(Slo::Availability, &slow), ["3d"]);
        let alert = alerts(Slo::Availability, &counts(&slow))[0];
        assert_eq!((alert.name, alert.severity), (ALERT, "ticket"));
        // Without traffic nothing holds.
        assert_eq!(windows(Slo::Durable, &[]), [] as [&str; 0]);
    }
}

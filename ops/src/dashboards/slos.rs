//! One row for each objective.

use super::{Dashboard, Panel, Row};
use crate::slo::SLOS;

pub(super) fn dashboard() -> Dashboard {
    let rows = SLOS.iter().map(|slo| {
        let name = slo.name;
        let of = |metric: &str| format!("{metric}{{slo=\"{name}\"}}");
        let budget = of("slo:budget_remaining:ratio");
        let burn = |window: &str| {
            let bad = of(&format!("slo:bad:ratio_increase{window}"));
            format!("{bad} / (1 - {})", of("slo:objective:ratio"))
        };
        let (hour, six, day, three) = (burn("1h"), burn("6h"), burn("1d"), burn("3d"));
        Row {
            title: slo.title,
            panels: vec![
                Panel::new(
                    "Budget left",
                    slo.description,
                    "percentunit",
                    &[(&budget, "left")],
                )
                .stat(),
                Panel::new(
                    "Days that the budget tells of",
                    "Of its 30: what Prometheus has no samples of is not in the budget.",
                    "d",
                    &[("30 * slo:window_covered:ratio", "days")],
                )
                .stat(),
                Panel::new(
                    "Burn",
                    "How many times faster than in 30 days the budget is used up.",
                    "short",
                    &[(&hour, "1h"), (&six, "6h"), (&day, "1d"), (&three, "3d")],
                )
                .alert("ErrorBudgetBurn", 14.4),
            ],
        }
    });
    Dashboard {
        name: "slo",
        title: "Objectives",
        tenants: false,
        rows: rows.collect(),
    }
}

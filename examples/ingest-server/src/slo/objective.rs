//! Which share of what counts is to be good, as `deploy/monitoring/slo` has it.

use crate::pipeline::objectives::Slo;

/// The share of 30 days that is to be good.
pub(super) const fn objective(slo: Slo) -> f64 {
    match slo {
        Slo::Availability | Slo::Revocation => 0.999,
        Slo::Latency => 0.95,
        Slo::Durable => 0.99,
    }
}

/// The share that may be bad: an objective is written with at most three digits.
pub(super) fn budget(slo: Slo) -> f64 {
    ((1.0 - objective(slo)) * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an operator loads into Prometheus, and what is shown here, are one promise.
    #[test]
    fn the_service_and_its_monitoring_have_the_same_objectives() {
        for (slo, committed) in [
            (
                Slo::Availability,
                include_str!("../../../../deploy/monitoring/slo/availability.yaml"),
            ),
            (
                Slo::Latency,
                include_str!("../../../../deploy/monitoring/slo/latency.yaml"),
            ),
            (
                Slo::Durable,
                include_str!("../../../../deploy/monitoring/slo/durable.yaml"),
            ),
            (
                Slo::Revocation,
                include_str!("../../../../deploy/monitoring/slo/revocation.yaml"),
            ),
        ] {
            let (name, target) = (slo.as_str(), objective(slo));
            assert!(committed.contains(&format!("name: \"{name}\"")), "{name}");
            assert!(committed.contains(&format!("target: {target}\n")), "{name}");
            assert!(committed.contains("- duration: \"30d\"\n"), "{name}");
        }
    }
}

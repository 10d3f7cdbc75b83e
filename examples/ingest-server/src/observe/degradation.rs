//! What is degraded by now, as a metric.

use portcullis_telemetry::{Label, MetricError, Registry};

use super::SMALL;
use crate::degradation::{Degradations, DegradedPart};

/// Every part has a series from the start.
pub(crate) fn register_degradations(
    registry: &Registry,
    degradations: &Degradations,
) -> Result<(), MetricError> {
    let degradations = degradations.clone();
    registry.observed_gauge_family(
        "degraded",
        "1 while a part of the service does less than it promises and the rest goes on: /readyz says since when, and \
         what to do",
        [Label::closed(
            "component",
            DegradedPart::ALL.map(DegradedPart::as_str),
        )],
        SMALL,
        move || {
            let degraded = degradations.now();
            let is_degraded = |part| degraded.iter().any(|one| one.part == part);
            let parts = DegradedPart::ALL.into_iter();
            parts
                .map(|part| {
                    let value = f64::from(u8::from(is_degraded(part)));
                    ([part.as_str().to_owned()], value)
                })
                .collect::<Vec<_>>()
        },
    )
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::observe::{movement::assert_moved, scraped};

    #[test]
    fn each_part_has_a_series_from_the_start_that_is_one_while_it_is_degraded() {
        let registry = Registry::new();
        let degradations = Degradations::default();
        register_degradations(&registry, &degradations).unwrap();
        for (place, part) in DegradedPart::ALL.into_iter().enumerate() {
            let sample = format!("degraded{{component=\"{}\"}}", part.as_str());
            let before = scraped(&registry);
            assert_eq!(before[&sample], 0.0);
            let mut seen = [false; DegradedPart::ALL.len()];
            seen[place] = true;
            degradations.seen(seen, OffsetDateTime::UNIX_EPOCH);
            let after = scraped(&registry);
            assert_moved(&before, &after, ["degraded"]);
            assert_eq!(after[&sample], 1.0);
            degradations.seen([false; DegradedPart::ALL.len()], OffsetDateTime::UNIX_EPOCH);
        }
    }
}

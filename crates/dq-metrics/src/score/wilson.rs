//! How sure a rate is, given how few events it rests on.

use super::as_f64;

/// The 97.5th percentile of the standard normal distribution: two-sided 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// Lower end of the 95 % Wilson score interval of a rate between 0 and 1 seen over `events`.
///
/// `None` without events. E. B. Wilson, "Probable inference, the law of succession, and statistical
/// inference", JASA 22 (1927) 209–212.
pub fn wilson_lower_bound(rate: f64, events: u64) -> Option<f64> {
    if events == 0 {
        return None;
    }
    let n = as_f64(events);
    let centre = rate + Z * Z / (2.0 * n);
    let margin = Z * (rate * (1.0 - rate) / n + Z * Z / (4.0 * n * n)).sqrt();
    Some(((centre - margin) / (1.0 + Z * Z / n)).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// R. G. Newcombe, "Two-sided confidence intervals for the single proportion: comparison of
    /// seven methods", Statistics in Medicine 17 (1998) 857–872, table I, method 3 (Wilson score
    /// without continuity correction).
    #[test]
    fn agrees_with_the_values_newcombe_published() {
        for (passed, events, lower) in [
            (81, 263, 0.2553),
            (15, 148, 0.0624),
            (0, 20, 0.0),
            (1, 29, 0.0061),
        ] {
            let bound = wilson_lower_bound(as_f64(passed) / as_f64(events), events).unwrap();
            assert!(
                (bound - lower).abs() < 0.000_05,
                "{passed}/{events}: {bound} not {lower}"
            );
        }
        // The upper ends of the same table, by symmetry: upper(p) = 1 - lower(1 - p).
        for (passed, events, upper) in [
            (81, 263, 0.3662),
            (15, 148, 0.1605),
            (0, 20, 0.1611),
            (1, 29, 0.1718),
        ] {
            let missed = as_f64(events - passed) / as_f64(events);
            let bound = 1.0 - wilson_lower_bound(missed, events).unwrap();
            assert!(
                (bound - upper).abs() < 0.000_05,
                "{passed}/{events}: {bound} not {upper}"
            );
        }
    }

    #[test]
    fn no_events_give_no_bound() {
        assert_eq!(wilson_lower_bound(1.0, 0), None);
    }

    proptest! {
        #[test]
        fn the_bound_lies_below_the_rate_and_rises_with_evidence(
            passed in 0_u64..1_000,
            missed in 0_u64..1_000,
        ) {
            prop_assume!(passed + missed > 0);
            let events = passed + missed;
            let rate = as_f64(passed) / as_f64(events);
            let bound = wilson_lower_bound(rate, events).unwrap();
            prop_assert!((0.0..=rate + 1e-12).contains(&bound));
            prop_assert!(wilson_lower_bound(rate, events * 10).unwrap() >= bound - 1e-12);
        }
    }
}

//! That a metric moves.

/// Fails for each of these metrics whose samples in one scrape are those of the other.
///
/// The names stand here as text, since a test of the reference service collects them from these calls: of the
/// metrics that it lists, each is given to one of them.
pub(crate) fn assert_moved<const N: usize>(before: &str, after: &str, metrics: [&str; N]) {
    for metric in metrics {
        let samples = |scrape: &str| {
            let lines = scrape.lines().filter(|line| {
                let rest = line.strip_prefix(metric).unwrap_or_default();
                rest.starts_with(['{', ' '])
            });
            let mut lines: Vec<_> = lines.map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let after = samples(after);
        assert!(!after.is_empty(), "{metric} is not there");
        assert_ne!(samples(before), after, "{metric} is as it was");
    }
}

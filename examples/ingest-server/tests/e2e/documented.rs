//! What a scrape shows is what `docs/metrics.md` has, whichever test it is in.

use std::collections::{BTreeMap, BTreeSet};

/// The page that lists every metric.
const PAGE: &str = include_str!("../../../../docs/metrics.md");

/// What is beyond the bound of a family.
const OTHER: &str = "__other__";

/// A row of the page.
struct Described {
    kind: &'static str,
    /// The names of the labels, and the values of those that have a list.
    labels: Vec<(&'static str, Option<BTreeSet<&'static str>>)>,
}

fn described() -> BTreeMap<&'static str, Described> {
    let rows = PAGE.lines().filter_map(|line| {
        let row = line.strip_prefix("| `")?;
        let (name, cells) = row.split_once("` | ")?;
        let mut cells = cells.split(" | ");
        let kind = cells.next()?;
        let labels = cells.nth(1)?.split("; ").filter_map(|label| {
            let (name, values) = label.strip_prefix('`')?.split_once('`')?;
            // A long list stands elsewhere.
            let values = values.strip_prefix(": ").filter(|it| !it.starts_with('['));
            Some((name, values.map(|values| values.split(", ").collect())))
        });
        let labels = labels.collect();
        Some((name, Described { kind, labels }))
    });
    rows.collect()
}

/// Fails where a scrape shows what the page does not have: a metric, a label, a value of a label whose values
/// it lists, or another type.
pub(crate) fn assert_documented(scrape: &str) {
    let described = described();
    let mut family = ("", described.values().next().unwrap());
    let is_known = |values: &BTreeSet<&str>, value: &str| values.contains(value) || value == OTHER;
    for line in scrape.lines() {
        if let Some(declared) = line.strip_prefix("# TYPE ") {
            let (name, kind) = declared.split_once(' ').unwrap();
            let known = described.get(name);
            family = (
                name,
                known.unwrap_or_else(|| panic!("{name} is not in docs/metrics.md")),
            );
            assert_eq!(kind, family.1.kind, "{name}");
        } else if !line.starts_with('#') {
            let (sample, _) = line.rsplit_once(' ').unwrap();
            let (_, labels) = sample.split_once('{').unwrap_or((sample, ""));
            let shown = pairs(labels.trim_end_matches('}'));
            let shown = shown.iter().filter(|(name, _)| name != "le");
            let shown: Vec<_> = shown.collect();
            let (name, Described { labels, .. }) = family;
            let expected: Vec<_> = labels.iter().map(|(name, _)| *name).collect();
            let found: Vec<_> = shown.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(found, expected, "labels of {name} in docs/metrics.md");
            for ((label, values), (_, value)) in labels.iter().zip(shown) {
                let is_listed = values.as_ref().is_none_or(|values| is_known(values, value));
                assert!(
                    is_listed,
                    "{label}={value} of {name} is not in docs/metrics.md"
                );
            }
        }
    }
}

/// Names and values between the braces of a sample.
fn pairs(mut labels: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    while let Some((name, rest)) = labels.split_once("=\"") {
        let mut escaped = false;
        let end = rest.find(|character| {
            let is_end = character == '"' && !escaped;
            escaped = character == '\\' && !escaped;
            is_end
        });
        let (value, rest) = rest.split_at(end.unwrap());
        let name = name.trim_start_matches(',');
        pairs.push((name.to_owned(), value.to_owned()));
        labels = &rest[1..];
    }
    pairs
}

//! How the tables of the rules are read, and what all rules leave alone together.

mod innocent;

use crate::{
    detector::Detector,
    finding::{Confidence, Finding},
    kind::Kind,
};

/// Checks that of each text what stands between `«` and `»` is found as `kind`, and nothing else as
/// anything. A text may be the value of a field: `phone_number=>4155552671`.
pub(super) fn check(kind: Kind, rows: &[&str]) {
    let detector = Detector::builder().enable(kind).build().unwrap();
    let mut wrong = Vec::new();
    for row in rows {
        let (name, marked) = row.split_once("=>").unwrap_or(("", row));
        let text = marked.replace(['«', '»'], "");
        let mut shown = text.clone();
        let findings: Vec<Finding> = detector.find_named(name, &text).collect();
        for finding in findings.iter().rev() {
            shown.insert(finding.range.end, '»');
            shown.insert(finding.range.start, '«');
        }
        if shown != marked || findings.iter().any(|finding| finding.kind != kind) {
            wrong.push((row, shown, findings));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

/// Checks that nothing is found in any of them.
pub(super) fn check_left_alone(rows: &[&str]) {
    assert!(rows.iter().all(|row| !row.contains('«')));
    check(Kind::Email, rows);
}

/// The rule and the confidence of the one finding, whatever the detector reports by default.
pub(super) fn only(name: &str, text: &str) -> Option<(&'static str, Confidence)> {
    let detector = Detector::builder()
        .min_confidence(Confidence::Low)
        .build()
        .unwrap();
    let mut findings = detector.find_named(name, text);
    let found = findings
        .next()
        .map(|finding| (finding.rule, finding.confidence));
    assert_eq!(findings.next(), None, "{text}");
    found
}

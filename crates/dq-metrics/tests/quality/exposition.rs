//! The metrics as a scrape shows them.

use portcullis_dq_metrics::{Duplicate, Outcome, Subject};

use crate::{fault::Fault, quality, scrape, series};

#[test]
fn the_metrics_have_their_names_and_values() {
    let quality = quality();
    quality.received(Some("acme"), 4);
    quality.received(None, 1);
    let lead = Subject::tenant("acme")
        .event_type("lead.created")
        .schema_version("1");
    quality.record(lead, Outcome::Accepted);
    quality.record(lead, Outcome::Duplicate(Duplicate::Conflicting));
    quality.record(lead, Outcome::Rejected(Fault::FieldMissing));
    quality.record(Subject::UNKNOWN, Outcome::Rejected(Fault::SupplierUnknown));
    let scrape = scrape(&quality);
    for line in [
        r#"dq_received_total{tenant="acme"} 4"#,
        r#"dq_received_total{tenant="__unknown__"} 1"#,
        r#"dq_outcomes_total{tenant="acme",outcome="accepted"} 1"#,
        r#"dq_outcomes_total{tenant="acme",outcome="duplicate_conflicting"} 1"#,
        r#"dq_outcomes_total{tenant="acme",outcome="rejected"} 1"#,
        r#"dq_outcomes_total{tenant="acme",outcome="lost"} 0"#,
        r#"dq_event_type_outcomes_total{event_type="lead.created",outcome="rejected"} 1"#,
        r#"dq_event_type_outcomes_total{event_type="__unknown__",outcome="rejected"} 1"#,
        r#"dq_rejected_total{reason="check.field_missing"} 1"#,
        r#"dq_rejected_total{reason="admit.supplier_unknown"} 1"#,
        r#"dq_rejected_total{reason="internal"} 0"#,
        r#"dq_samples_total{result="captured"} 0"#,
        "dq_unaccounted 1",
    ] {
        assert!(
            scrape.lines().any(|found| found == line),
            "{line} not in\n{scrape}"
        );
    }
}

#[test]
fn a_score_is_absent_until_there_is_data() {
    let quality = quality();
    quality.received(Some("acme"), 1);
    assert!(
        series(&scrape(&quality))
            .iter()
            .all(|(series, _)| !series.starts_with("dq_score"))
    );
    quality.record(Subject::tenant("acme"), Outcome::Accepted);
    let scrape = scrape(&quality);
    assert!(series(&scrape).contains(&(r#"dq_score{tenant="acme"}"#, 100.0)));
    let (_, bound) = series(&scrape)
        .into_iter()
        .find(|(series, _)| *series == r#"dq_score_lower_bound{tenant="acme"}"#)
        .unwrap();
    assert!(bound < 25.0, "one event proves little: {bound}");
}

#[test]
fn no_series_appears_twice() {
    let quality = quality();
    for n in 0..80 {
        let tenant = format!("t{n}");
        quality.record(
            Subject::tenant(&tenant).event_type(&tenant),
            Outcome::Accepted,
        );
    }
    let scrape = scrape(&quality);
    let mut names: Vec<_> = series(&scrape)
        .into_iter()
        .map(|(series, _)| series)
        .collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

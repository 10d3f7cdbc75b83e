//! Each fault that is planted is found, and nothing else is.

use super::*;
use crate::{
    alerts::Rule,
    catalogue,
    dashboards::{Panel, Row},
    rules::Recording,
};

/// What is recorded and shown so that nothing is missing in a test of something else.
fn found(recordings: &[(&str, &str)], alerts: &[Alert], slos: &[Slo]) -> Vec<Fault> {
    let catalogue = catalogue::example();
    let rules = recordings
        .iter()
        .map(|(name, expr)| Recording::new(*name, *expr));
    let findings = check(&Subject {
        catalogue: &catalogue,
        recordings: &[Group::recording("test", None, rules.collect())],
        alerts,
        dashboards: &[],
        slos,
    });
    findings.into_iter().map(|finding| finding.fault).collect()
}

fn alert(rule: Rule) -> Alert {
    Alert {
        name: "Planted",
        component: "",
        summary: "",
        description: "",
        dashboard: "",
        rules: vec![rule],
        cases: Vec::new(),
    }
}

fn of_ticket(expr: &str) -> Vec<Fault> {
    found(&[], &[alert(Rule::ticket(expr, 0))], &[])
}

fn name(name: &str) -> String {
    name.to_owned()
}

#[test]
fn what_is_right_is_not_refused() {
    for expr in [
        "increase(asked_total{outcome=\"failed\"}[2m]) > 0",
        "increase(asked_total{outcome=~\"done|failed\"}[2m]) > 0",
        "increase(asked_total{job=\"portcullis\", outcome!=\"done\"}[2m]) > 0",
        "(increase(by_tenant_total[2m]) or vector(0)) > 0",
        "level > 3",
        "increase(refused_total{reason=\"a\"}[2m]) > 0",
        "(histogram_quantile(0.9, sum by (le) (rate(took_seconds_bucket[2m]))) or vector(0)) > 0.12",
    ] {
        assert_eq!(of_ticket(expr), [], "{expr}");
    }
}

#[test]
fn a_query_that_cannot_be_parsed_is_refused() {
    assert!(matches!(of_ticket("sum(")[..], [Fault::Syntax(_)]));
}

#[test]
fn an_unknown_metric_is_refused() {
    assert_eq!(
        of_ticket("levle > 3"),
        [Fault::UnknownMetric(name("levle"))]
    );
    // A histogram has no samples of its own name.
    let of_histogram = of_ticket("took_seconds > 3");
    assert_eq!(of_histogram, [Fault::UnknownMetric(name("took_seconds"))]);
}

#[test]
fn an_unknown_label_is_refused() {
    let expected = Fault::UnknownLabel {
        metric: name("level"),
        label: name("tenant"),
    };
    assert_eq!(of_ticket("level{tenant=\"a\"} > 3"), [expected]);
}

#[test]
fn a_value_that_a_closed_label_never_has_is_refused() {
    for (matcher, value) in [
        ("=\"faild\"", "faild"),
        ("!=\"ok\"", "ok"),
        ("=~\"done|faild\"", "faild"),
        ("=~\"f.x\"", "f.x"),
    ] {
        let faults = of_ticket(&format!("asked_total{{outcome{matcher}}} > 3"));
        let expected = Fault::UnknownValue {
            metric: name("asked_total"),
            label: name("outcome"),
            value: name(value),
        };
        assert_eq!(faults, [expected], "{matcher}");
    }
}

#[test]
fn a_rate_of_a_gauge_is_refused() {
    let expected = |function| Fault::RateOfGauge {
        metric: name("level"),
        function: name(function),
    };
    assert_eq!(of_ticket("rate(level[2m]) > 3"), [expected("rate")]);
    assert_eq!(of_ticket("increase(level[2m]) > 3"), [expected("increase")]);
    let recorded = found(
        &[("a:b", "sum(level)")],
        &[alert(Rule::ticket("rate(a:b[2m]) > 3", 0))],
        &[],
    );
    let expected = Fault::RateOfGauge {
        metric: name("a:b"),
        function: name("rate"),
    };
    assert_eq!(recorded, [expected]);
}

#[test]
fn a_bound_that_no_bucket_has_is_refused() {
    let expected = |number: &str| Fault::NotABound {
        metric: name("took_seconds_bucket"),
        number: name(number),
    };
    assert_eq!(
        of_ticket("took_seconds_bucket{le=\"0.11\"} > 3"),
        [expected("0.11")]
    );
    assert_eq!(of_ticket("took_seconds_bucket{le=\"0.12\"} > 3"), []);
    assert_eq!(of_ticket("took_seconds_bucket{le=\"+Inf\"} > 3"), []);
    let quantile = "(histogram_quantile(0.9, sum by (le) (rate(took_seconds_bucket[2m])))";
    assert_eq!(of_ticket(&format!("{quantile} or vector(0)) > 0.12")), []);
    let direct = "histogram_quantile(0.9, sum by (le) (took_seconds_bucket)) > 0.11";
    assert_eq!(of_ticket(direct), [expected("0.11")]);
}

#[test]
fn a_recording_rule_that_is_used_before_it_is_recorded_is_refused() {
    let faults = found(
        &[("a:a", "sum(b:b)"), ("b:b", "sum(level)")],
        &[alert(Rule::ticket("a:a > b:b", 0))],
        &[],
    );
    assert_eq!(faults, [Fault::UsedBefore(name("b:b"))]);
}

#[test]
fn a_recording_rule_that_is_there_twice_is_refused() {
    let faults = found(
        &[("a:a", "sum(level)"), ("a:a", "max(level)")],
        &[alert(Rule::ticket("a:a > 1", 0))],
        &[],
    );
    assert_eq!(faults, [Fault::RecordedTwice(name("a:a"))]);
}

#[test]
fn a_recording_rule_that_nobody_reads_is_refused() {
    assert_eq!(
        found(&[("a:a", "sum(level)")], &[], &[]),
        [Fault::NeverUsed(name("a:a"))]
    );
    let panel = Panel::new("Level", "What is left", "short", &[("a:a", "level")]);
    let dashboard = Dashboard {
        name: "test",
        title: "Test",
        rows: vec![Row {
            title: "Row",
            panels: vec![panel],
        }],
        tenants: false,
    };
    let catalogue = catalogue::example();
    let rules = vec![Recording::new("a:a", "sum(level)")];
    let findings = check(&Subject {
        catalogue: &catalogue,
        recordings: &[Group::recording("test", None, rules)],
        alerts: &[],
        dashboards: &[dashboard],
        slos: &[],
    });
    assert_eq!(findings, []);
}

#[test]
fn a_label_that_is_printed_and_dropped_is_refused() {
    for (expr, refused) in [
        ("sum by (instance) (level) > 1", false),
        ("level > 1", false),
        ("sum(level) > 1", true),
        ("sum by (job) (level) > 1", true),
        ("sum without (instance) (level) > 1", true),
    ] {
        let printing = Alert {
            summary: "{{ $labels.instance }} is at {{ $value }}",
            ..alert(Rule::ticket(expr, 0))
        };
        let expected = refused.then(|| Fault::DroppedLabel(name("instance")));
        assert_eq!(
            found(&[], &[printing], &[]),
            Vec::from_iter(expected),
            "{expr}"
        );
    }
}

#[test]
fn a_page_that_comes_too_late_is_refused() {
    let of_page =
        |held, quickness| found(&[], &[alert(Rule::page("level > 1", held, quickness))], &[]);
    assert_eq!(of_page(60, Quickness::AtOnce), []);
    assert_eq!(of_page(70, Quickness::AtOnce), []);
    assert_eq!(of_page(71, Quickness::AtOnce), [Fault::TooSlow(111)]);
    assert_eq!(of_page(30, Quickness::Climbs(40.0)), []);
    assert_eq!(of_page(30, Quickness::Climbs(41.0)), [Fault::TooSlow(111)]);
    let uncovered = of_page(0, Quickness::After("Another"));
    assert_eq!(uncovered, [Fault::NotCovered(name("Another"))]);
    let of_itself = of_page(0, Quickness::After("Planted"));
    assert_eq!(of_itself, [Fault::NotCovered(name("Planted"))]);
}

#[test]
fn a_page_that_reads_back_for_long_is_refused() {
    let of_page = |expr, held| {
        found(
            &[],
            &[alert(Rule::page(expr, held, Quickness::Climbs(1.0)))],
            &[],
        )
    };
    assert_eq!(of_page("rate(asked_total[2m]) > 1", 30), []);
    assert_eq!(
        of_page("rate(asked_total[5m]) > 1", 30),
        [Fault::SlowWindow(300)]
    );
    assert_eq!(
        of_page("rate(asked_total[2m]) > 1", 31),
        [Fault::SlowWindow(120)]
    );
}

#[test]
fn an_objective_whose_alert_can_never_fire_is_refused() {
    let objective = |objective| Slo {
        name: "test",
        title: "",
        description: "",
        objective,
        quicker: None,
    };
    assert_eq!(found(&[], &[], &[objective(0.94)]), []);
    let faults = found(&[], &[], &[objective(0.93)]);
    assert_eq!(
        faults,
        [Fault::Unreachable {
            factor: 14.4,
            objective: 0.93
        }]
    );
}

#[test]
fn an_alert_that_does_not_see_the_first_is_refused() {
    for (expr, metric) in [
        ("increase(by_tenant_total[2m]) > 0", "by_tenant_total"),
        (
            "increase(refused_total{reason=\"b\"}[2m]) > 0",
            "refused_total",
        ),
        (
            "increase(refused_total{reason=~\"a|b\"}[2m]) > 0",
            "refused_total",
        ),
        ("rate(took_seconds_count[2m]) > 0", "took_seconds_count"),
    ] {
        assert_eq!(of_ticket(expr), [Fault::BornAtOne(name(metric))], "{expr}");
        let with = expr.replacen("> 0", "or vector(0)", 1);
        assert_eq!(of_ticket(&with), [], "{with}");
    }
}

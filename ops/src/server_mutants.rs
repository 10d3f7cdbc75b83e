//! A rule that is not what it was is noticed: by the check, or by its cases on a real Prometheus.
//!
//! Takes a minute, and does nothing but with `OPS_TEST_MUTANTS=all` (`scripts/nightly`). Rules on budgets are left out:
//! there is one for each objective and window, and all are made by one line.

use std::{env, fs, path::Path, process::Command};

use crate::{
    alerts::{self, Alert},
    check::{self, Subject},
    dashboards, files, rules, slo,
};

/// A rule that was changed, and how.
struct Mutant {
    what: String,
    alert: Alert,
}

const COMPARISONS: [&str; 4] = ["> ", "< ", ">= ", "== "];

/// Every number that something is compared with, ten times as large, or as small; of 0, 1.
fn other_thresholds(expr: &str) -> Vec<String> {
    let mut found = Vec::new();
    for comparison in COMPARISONS {
        for (at, _) in expr.match_indices(comparison) {
            let start = at + comparison.len();
            let rest = &expr[start..];
            let ends = |it: char| !it.is_ascii_digit() && it != '.';
            let length = rest.find(ends).unwrap_or(rest.len());
            let Ok(number) = rest[..length].parse::<f64>() else {
                continue;
            };
            let other = match comparison {
                _ if number == 0.0 => 1.0,
                "< " => number / 10.0,
                _ => number * 10.0,
            };
            found.push(format!("{}{other}{}", &expr[..start], &rest[length..]));
        }
    }
    found
}

fn mutants(alert: &Alert) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for (number, rule) in alert.rules.iter().enumerate() {
        let mut add = |what: String, change: &dyn Fn(&mut alerts::Rule)| {
            let mut alert = alert.clone();
            if let Some(rule) = alert.rules.get_mut(number) {
                change(rule);
            }
            let what = format!("{} {number}: {what}", alert.name);
            mutants.push(Mutant { what, alert });
        };
        for expr in other_thresholds(&rule.expr) {
            add(expr.clone(), &|rule| rule.expr.clone_from(&expr));
        }
        if rule.held > 0 {
            add("held twice as long".to_owned(), &|rule| rule.held *= 2);
        }
        if rule.expr.contains("by (job, instance") {
            add("another grouping".to_owned(), &|rule| {
                rule.expr = rule.expr.replace("by (job, instance", "by (job");
            });
        }
        if rule.expr.contains("_total") {
            add("another metric".to_owned(), &|rule| {
                rule.expr = rule.expr.replacen("_total", "_sum", 1);
            });
        }
    }
    mutants
}

/// Whether `ops check` refuses it.
fn is_refused(mutant: &Mutant) -> bool {
    let mut all = alerts::all();
    for alert in &mut all {
        if alert.name == mutant.alert.name {
            *alert = mutant.alert.clone();
        }
    }
    let found = check::check(&Subject {
        catalogue: &files::catalogue().unwrap(),
        recordings: &rules::recordings(),
        alerts: &all,
        dashboards: &dashboards::all(),
        slos: &slo::SLOS,
    });
    !found.is_empty()
}

/// Whether its cases are as they have to be.
fn passes(alert: &Alert, folder: &Path) -> bool {
    for (path, text) in [
        (
            "rules/alerts.yml",
            rules::alert_file(std::slice::from_ref(alert)),
        ),
        ("tests/cases.yml", rules::case_file(alert)),
    ] {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let mut promtool = Command::new("promtool");
    let promtool = promtool.args(["test", "rules"]);
    let tested = promtool.arg(folder.join("tests/cases.yml")).output();
    tested
        .unwrap_or_else(|error| panic!("promtool: {error}: run scripts/components install"))
        .status
        .success()
}

#[test]
fn a_rule_with_another_threshold_time_grouping_or_metric_is_noticed() {
    if env::var_os("OPS_TEST_MUTANTS").is_none_or(|it| it != "all") {
        return;
    }
    let folder = env::temp_dir().join(format!("portcullis-mutants-{}", std::process::id()));
    let (mut all, mut survivors) = (0, Vec::new());
    for alert in alerts::of_components() {
        assert!(passes(&alert, &folder), "{} as it is", alert.name);
        for mutant in mutants(&alert) {
            all += 1;
            if !is_refused(&mutant) && passes(&mutant.alert, &folder) {
                survivors.push(mutant.what);
            }
        }
    }
    fs::remove_dir_all(&folder).unwrap();
    assert!(survivors.is_empty(), "of {all}: {survivors:#?}");
    let readme = include_str!("../README.md");
    assert!(readme.contains(&format!("{all} in all")), "{all}");
}

#[test]
fn each_number_of_a_comparison_is_changed_once() {
    assert_eq!(
        other_thresholds("a > 0.05 and b >= 50 and c < 8 and d == 0 and e > 0.2 * f"),
        [
            "a > 0.5 and b >= 50 and c < 8 and d == 0 and e > 0.2 * f",
            "a > 0.05 and b >= 50 and c < 8 and d == 0 and e > 2 * f",
            "a > 0.05 and b >= 50 and c < 0.8 and d == 0 and e > 0.2 * f",
            "a > 0.05 and b >= 500 and c < 8 and d == 0 and e > 0.2 * f",
            "a > 0.05 and b >= 50 and c < 8 and d == 1 and e > 0.2 * f",
        ]
    );
}

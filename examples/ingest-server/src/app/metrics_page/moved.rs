//! Each metric of the page is one that a test makes move.
//!
//! Tests say so by `assert_moved`, which fails where a metric tells after something what it told before, and
//! takes names as text: from there they are collected. What belongs to a crate and cannot be brought about
//! from outside of a running service is moved by the tests of the crate, or of what observes it.

use std::{collections::BTreeSet, fs, path::Path};

/// Below these folders stand such tests.
const FOLDERS: [&str; 5] = [
    "tests/e2e",
    "src/observe",
    "../../crates/telemetry/src",
    "../../crates/telemetry/tests",
    "../../crates/dq-metrics/src",
];

const CALL: &str = "assert_moved(";

/// The text of every file of code in a folder and below it.
fn sources(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut texts = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts.extend(sources(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            texts.push(fs::read_to_string(path).unwrap());
        }
    }
    texts
}

/// The names that are given to the calls in this text, not in its comments.
fn names_in(source: &str) -> Vec<String> {
    let lines = source.lines();
    let code: Vec<_> = lines
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join("\n");
    let calls = code.split(CALL).skip(1);
    calls
        .flat_map(|call| {
            let (arguments, _) = call.split_once(");").unwrap_or((call, ""));
            let names = arguments.split('"').skip(1).step_by(2);
            names.map(str::to_owned).collect::<Vec<_>>()
        })
        .collect()
}

fn of_the_page() -> BTreeSet<String> {
    let page = include_str!("../../../../../docs/metrics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let names = rows.filter_map(|row| row.split('`').next());
    names.map(str::to_owned).collect()
}

#[test]
fn every_metric_of_the_page_is_moved_by_a_test_that_asserts_it() {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = FOLDERS.map(|folder| package.join(folder));
    let sources = folders.iter().flat_map(|folder| sources(folder));
    let moved: BTreeSet<_> = sources.flat_map(|source| names_in(&source)).collect();
    let page = of_the_page();
    assert!(page.len() > 100, "{page:?}");
    let missing: Vec<_> = page.difference(&moved).collect();
    assert!(
        missing.is_empty(),
        "no test gives these to `assert_moved`: {missing:?}"
    );
}

#[test]
fn names_are_collected_from_calls_alone() {
    let call =
        format!("{CALL}\n    &before,\n    &server.metrics().await,\n    [\"a\", \"b\"],\n);");
    assert_eq!(names_in(&call), ["a", "b"]);
    for other in [
        format!("// {CALL}&before, &after, [\"a\"]);"),
        format!("    /// {CALL}&before, &after, [\"a\"]);"),
        "assert_eq!(\"a\", \"a\");".to_owned(),
        "let a = \"a\";".to_owned(),
    ] {
        assert_eq!(names_in(&other), [] as [&str; 0], "{other}");
    }
}

//! The tests that there are, by the names that documents call them by.
//!
//! A name begins with where the test is: `e2e` and `attack` are those of the service against the real binary, and
//! `ingest-server`, `ops` or a crate without `portcullis-` what is inside of it or in its folder `tests`. Then come
//! its modules, as `cargo nextest` shows them.

use std::{collections::BTreeSet, fs, path::Path};

use crate::files::{self, FileError};

/// Pages whose tables say which test shows what.
const PAGES: [&str; 2] = ["docs/threat-model.md", "docs/compliance.md"];

/// Pages that may name a test, and do not have to.
const MENTIONING: [&str; 4] = [
    "docs/change-management.md",
    "docs/incident-response.md",
    "docs/operations.md",
    "docs/requirements.md",
];

/// What the pages name and is no test, and rows that name none where their table promises one.
pub(crate) fn check() -> Result<Vec<String>, FileError> {
    let there = all()?;
    let mut findings = Vec::new();
    for page in PAGES.iter().chain(&MENTIONING) {
        let text = files::read(page)?;
        let promised = if PAGES.contains(page) {
            without_a_test(&text)
        } else {
            Vec::new()
        };
        let faults = unknown(&text, &there).into_iter().chain(promised);
        findings.extend(faults.map(|fault| format!("{page}: {fault}")));
    }
    Ok(findings)
}

/// Every test of the workspace.
pub(crate) fn all() -> Result<BTreeSet<String>, FileError> {
    let mut tests = BTreeSet::new();
    let mut packages = vec![
        (
            "examples/ingest-server".to_owned(),
            "ingest-server".to_owned(),
        ),
        ("ops".to_owned(), "ops".to_owned()),
    ];
    let crates = files::root().join("crates");
    for entry in fs::read_dir(crates).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        packages.push((format!("crates/{name}"), name));
    }
    for (folder, package) in packages {
        for source in ["src", "tests"] {
            let folder = files::root().join(&folder).join(source);
            add_folder(&folder, &folder, &package, &mut tests)?;
        }
    }
    Ok(tests)
}

fn add_folder(
    top: &Path,
    folder: &Path,
    package: &str,
    tests: &mut BTreeSet<String>,
) -> Result<(), FileError> {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            add_folder(top, &path, package, tests)?;
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = files::read_at(&path)?;
            let modules = path.with_extension("");
            let modules = modules.strip_prefix(top).unwrap_or(&modules);
            let modules: Vec<_> = modules
                .iter()
                .map(|it| it.to_string_lossy().into_owned())
                .filter(|it| it != "lib" && it != "main")
                .collect();
            let modules = modules.join("::");
            tests.extend(of_file(package, &modules, &text));
        }
    }
    Ok(())
}

/// The tests of a file by their names, also those of a module within it.
fn of_file(package: &str, modules: &str, text: &str) -> Vec<String> {
    let is_own_binary = ["e2e", "attack"].iter().any(|binary| {
        let rest = modules.strip_prefix(binary);
        package == "ingest-server" && rest.is_some_and(|it| it.is_empty() || it.starts_with("::"))
    });
    let mut place: Vec<&str> = Vec::new();
    if !is_own_binary {
        place.push(package);
    }
    if !modules.is_empty() {
        place.push(modules);
    }
    let mut inner = "";
    let mut is_test = false;
    let mut found = Vec::new();
    for line in text.lines() {
        let code = line.trim_start();
        if let Some(name) = line
            .strip_prefix("mod ")
            .and_then(|it| it.strip_suffix(" {"))
        {
            inner = name;
        } else if line == "}" {
            inner = "";
        }
        if code.starts_with("#[") {
            is_test |= code.starts_with("#[test]") || code.starts_with("#[tokio::test");
        } else if let Some(name) = function(code) {
            if is_test {
                let mut name_of_test = place.clone();
                name_of_test.extend((!inner.is_empty()).then_some(inner));
                name_of_test.push(name);
                found.push(name_of_test.join("::"));
            }
            is_test = false;
        }
    }
    found
}

fn function(code: &str) -> Option<&str> {
    let code = code.strip_prefix("async ").unwrap_or(code);
    let (name, _) = code.strip_prefix("fn ")?.split_once('(')?;
    Some(name)
}

/// Names in backticks that look like a test's and are of none.
fn unknown(text: &str, there: &BTreeSet<String>) -> Vec<String> {
    named(text)
        .filter(|name| !there.contains(*name))
        .map(|name| format!("there is no test {name}"))
        .collect()
}

/// What stands in backticks and has the form of a test's name.
fn named(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|it| {
        let is_of_name =
            |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || "_-:".contains(it);
        it.contains("::") && it.chars().all(is_of_name)
    })
}

/// Rows without a test of tables with a column `test`.
fn without_a_test(text: &str) -> Vec<String> {
    let mut promises = false;
    let mut previous = "";
    let mut findings = Vec::new();
    for line in text.lines() {
        if line.starts_with("|---") {
            promises = previous.split('|').any(|cell| cell.trim() == "test");
        } else if !line.starts_with('|') {
            promises = false;
        } else if promises && named(line).next().is_none() {
            findings.push(format!("no test in the row {line:?}"));
        }
        previous = line;
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_found_with_their_modules_and_helpers_are_not() {
        let text = "fn helper() {}\n#[tokio::test(flavor = \"multi_thread\")]\nasync fn one() {\n}\n\
                    #[cfg(test)]\nmod tests {\n    #[test]\n    fn two() {}\n    fn three() {}\n}\n";
        let found = |package, modules| of_file(package, modules, text);
        assert_eq!(
            found("ingest-server", "e2e::a"),
            ["e2e::a::one", "e2e::a::tests::two"]
        );
        assert_eq!(
            found("keyring", "b"),
            ["keyring::b::one", "keyring::b::tests::two"]
        );
        assert_eq!(
            found("keyring", "e2e"),
            ["keyring::e2e::one", "keyring::e2e::tests::two"]
        );
        assert_eq!(found("ops", ""), ["ops::one", "ops::tests::two"]);
    }

    #[test]
    fn a_name_of_no_test_and_a_row_without_a_test_are_refused() {
        let there = BTreeSet::from(["e2e::a::one".to_owned()]);
        let page = "| who | test |\n|---|---|\n| x | `e2e::a::one` |\n| y | `e2e::a::two` |\n| z | none |\n";
        assert_eq!(unknown(page, &there), ["there is no test e2e::a::two"]);
        assert_eq!(
            without_a_test(page),
            ["no test in the row \"| z | none |\""]
        );
        let other = "| who | what |\n|---|---|\n| x | none |\n";
        assert!(without_a_test(other).is_empty());
    }

    #[test]
    fn this_very_test_is_there() {
        let there = all().unwrap();
        assert!(there.contains("ops::tests_there::tests::this_very_test_is_there"));
        assert!(there.len() > 1_500, "{}", there.len());
    }
}

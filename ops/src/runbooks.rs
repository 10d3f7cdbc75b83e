//! Runbooks: one for each alert, written by hand.

use std::{collections::BTreeSet, fs};

use crate::{
    alerts,
    files::{self, FileError},
};

const FOLDER: &str = "docs/runbooks";

/// What each says, in this order.
const HEADINGS: [&str; 5] = ["What it means", "Who is hurt", "Look at", "Do", "Done when"];

/// Which page has the commands and the routes that there are.
const PAGE: &str = "docs/audit.md";

/// What is wrong with the runbooks. That commands take their arguments is a test of the service.
pub(crate) fn check() -> Result<Vec<String>, FileError> {
    let page = files::read(PAGE)?;
    let alerts = alerts::all();
    let expected: BTreeSet<_> = alerts.iter().map(alerts::Alert::runbook).collect();
    let mut findings = Vec::new();
    for name in &expected {
        let path = format!("{FOLDER}/{name}");
        match files::read(&path) {
            Ok(text) => findings.extend(
                faults(&text, &page)
                    .into_iter()
                    .map(|fault| format!("{path}: {fault}")),
            ),
            Err(_) => findings.push(format!("{path}: is missing, and an alert leads there")),
        }
    }
    let entries = fs::read_dir(files::root().join(FOLDER))
        .into_iter()
        .flatten();
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !expected.contains(&name) && name != "README.md" {
            findings.push(format!("{FOLDER}/{name}: is of no alert"));
        }
    }
    Ok(findings)
}

/// Headings that are not as they have to be, and commands and routes that there are not.
fn faults(text: &str, page: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let headings: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    if headings != HEADINGS {
        faults.push(format!("has the headings {HEADINGS:?}"));
    }
    for line in text.lines() {
        if let Some(command) = line.trim().strip_prefix("ingest-server ") {
            let words: Vec<_> = command
                .split(' ')
                .take_while(|it| !it.starts_with('-'))
                .collect();
            let known = (1..=words.len()).any(|number| {
                let command = words
                    .get(..number)
                    .map(|it| it.join(" "))
                    .unwrap_or_default();
                page.contains(&format!("`ingest-server {command}`"))
            });
            if !known {
                faults.push(format!("there is no command {command:?}"));
            }
        }
        for route in routes(line) {
            if !page.contains(&format!("{route}`")) && !page.contains(&format!("{route} ")) {
                faults.push(format!("there is no route {route}"));
            }
        }
    }
    faults
}

/// The routes of operators that a command of curl asks for.
fn routes(line: &str) -> Vec<&str> {
    if !line.contains("curl ") {
        return Vec::new();
    }
    let paths = line.split("$ADMIN").skip(1);
    let ends = |it: char| it.is_whitespace() || "\"'?".contains(it);
    paths.filter_map(|rest| rest.split(ends).next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "| `ingest-server keys list` |\n| `GET /admin/limits` |";
    const GOOD: &str = "## What it means\n## Who is hurt\n## Look at\n## Do\n## Done when\n";

    #[test]
    fn a_runbook_without_a_heading_or_with_an_unknown_command_is_refused() {
        assert_eq!(faults(GOOD, PAGE), [] as [String; 0]);
        assert_eq!(faults(&GOOD.replace("## Do\n", ""), PAGE).len(), 1);
        let with = |line: &str| faults(&format!("{GOOD}    {line}\n"), PAGE).len();
        assert_eq!(with("ingest-server keys list --json"), 0);
        assert_eq!(with("ingest-server kees list"), 1);
        assert_eq!(with("curl -H @token $ADMIN/admin/limits"), 0);
        assert_eq!(with("curl -H @token $ADMIN/admin/limitz"), 1);
    }
}

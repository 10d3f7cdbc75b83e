//! Alerts that documents name: each has to be one of those that are made.

use std::{fs, path::Path};

use crate::{
    alerts::{self, Alert, PREFIX},
    files::{self, FileError},
};

/// Where documents are, besides the runbooks, which are each of one alert.
const PLACES: [&str; 6] = [
    "docs",
    "docs/adr",
    "docs/guidelines",
    "docs/runbooks",
    "examples/ingest-server",
    "deploy/monitoring",
];

/// The page that has each alert of the audit log.
const AUDIT_PAGE: &str = "docs/audit.md";

/// What documents call an alert and is none, and what the page of the audit log does not name.
pub(crate) fn check() -> Result<Vec<String>, FileError> {
    let alerts = alerts::all();
    let mut findings = Vec::new();
    for place in PLACES {
        let entries = fs::read_dir(files::root().join(place));
        for entry in entries.into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if Path::new(&name).extension().is_none_or(|it| it != "md") {
                continue;
            }
            let path = format!("{place}/{name}");
            let text = files::read(&path)?;
            let unknown = unknown(&text, &alerts);
            findings.extend(unknown.map(|name| format!("{path}: there is no alert {name}")));
        }
    }
    let page = files::read(AUDIT_PAGE)?;
    let of_log = alerts
        .iter()
        .filter(|alert| alert.name.starts_with("Audit"));
    let missing = of_log.filter(|alert| !page.contains(&format!("[{}](", alert.name)));
    findings.extend(missing.map(|alert| format!("{AUDIT_PAGE}: does not name {}", alert.name)));
    Ok(findings)
}

/// The names that are of no alert: in a rule, behind the prefix, and as the text of a link to a runbook.
fn unknown<'a>(text: &'a str, alerts: &'a [Alert]) -> impl Iterator<Item = String> + 'a {
    let in_rules = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    let prefixed = text.split(PREFIX).skip(1).map(word);
    let prefixed = prefixed.filter(|word| word.starts_with(|it: char| it.is_ascii_uppercase()));
    let is_known = |name: &str| {
        let name = name.trim_matches('"');
        let name = name.strip_prefix(PREFIX).unwrap_or(name);
        alerts.iter().any(|alert| alert.name == name)
    };
    let unknown = in_rules.chain(prefixed).filter(move |name| !is_known(name));
    let linked = links(text).filter(|(name, page)| {
        !alerts
            .iter()
            .any(|alert| alert.name == *name && alert.runbook() == *page)
    });
    let linked = linked.map(|(name, page)| format!("{name} with the runbook {page}"));
    unknown.map(str::to_owned).chain(linked)
}

/// Links to runbooks: their texts, where they are names, and the pages.
fn links(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let links = text.split("](").collect::<Vec<_>>();
    let pairs = links.windows(2).filter_map(|pair| {
        let [before, after] = pair else { return None };
        let (_, name) = before.rsplit_once('[')?;
        let (path, _) = after.split_once(')')?;
        let (_, page) = path.rsplit_once("runbooks/")?;
        (name == word(name) && page != "README.md").then_some((name, page))
    });
    pairs.collect::<Vec<_>>().into_iter()
}

/// The letters that a text begins with.
fn word(text: &str) -> &str {
    let end = text.find(|it: char| !it.is_ascii_alphabetic());
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_that_there_is_not_is_named_nowhere() {
        assert_eq!(check().unwrap(), [] as [String; 0]);
        let alerts = alerts::all();
        let unknown = |text: &str| unknown(text, &alerts).collect::<Vec<_>>();
        for (text, found) in [
            ("PortcullisAuditSilent is told.", None),
            ("Portcullis is a workspace.", None),
            ("PortcullisAuditLoud is told.", Some("AuditLoud")),
            ("      - alert: AuditSilent", None),
            ("      - alert: AuditLoud", Some("AuditLoud")),
            ("[AuditSilent](runbooks/audit-silent.md)", None),
            (
                "[AuditSilent](../runbooks/audit-loud.md)",
                Some("AuditSilent with the runbook audit-loud.md"),
            ),
            ("its [runbook](runbooks/README.md)", None),
        ] {
            let found: Vec<_> = found.into_iter().map(str::to_owned).collect();
            assert_eq!(unknown(text), found, "{text}");
        }
    }
}

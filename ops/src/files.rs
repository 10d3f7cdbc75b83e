//! The files that are made, and where they stand.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use thiserror::Error;

use crate::{
    alerts, blackbox,
    catalogue::Catalogue,
    dashboards,
    logs::{self, LogLine},
    routes, rules, slo,
};

/// Why the repository could not be read or written.
#[derive(Debug, Error)]
pub(crate) enum FileError {
    #[error("{path} cannot be read or written: {kind}")]
    File { path: String, kind: io::ErrorKind },
    #[error(
        "docs/metrics.json is no catalogue of metrics, or docs/log-line.schema.json no schema of a line"
    )]
    Catalogue(#[from] serde_json::Error),
}

/// What the service says that a line of its log is.
pub(crate) const LOG_LINE: &str = "docs/log-line.schema.json";

/// Where what is made stands.
const FOLDER: &str = "deploy/monitoring";

/// What operators write here themselves, and nothing makes.
const WRITTEN: [&str; 1] = ["README.md"];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The text of a file of the repository.
pub(crate) fn read(path: &str) -> Result<String, FileError> {
    fs::read_to_string(root().join(path)).map_err(|error| failed(path, &error))
}

/// The text of a file that a folder of the repository has.
pub(crate) fn read_at(path: &Path) -> Result<String, FileError> {
    fs::read_to_string(path).map_err(|error| failed(&path.to_string_lossy(), &error))
}

/// Writes a file of the repository.
pub(crate) fn write(path: &str, text: &str) -> Result<(), FileError> {
    fs::write(root().join(path), text).map_err(|error| failed(path, &error))
}

pub(crate) fn catalogue() -> Result<Catalogue, FileError> {
    Ok(Catalogue::read(&read("docs/metrics.json")?)?)
}

/// Every file that is made, by its path below [`FOLDER`].
pub(crate) fn made() -> Result<BTreeMap<String, String>, FileError> {
    let mut files = BTreeMap::new();
    let mut add = |path: String, text: String| files.insert(path, text);
    for slo in &slo::SLOS {
        add(format!("slo/{}.yaml", slo.name), slo.open_slo().file());
    }
    add("rules/recording.yml".into(), rules::recording_file());
    add(
        "rules/alerts.yml".into(),
        rules::alert_file(&alerts::of_components()),
    );
    add("rules/slo.yml".into(), rules::alert_file(&slo::alerts()));
    for alert in alerts::all() {
        let name = alert.runbook().replace(".md", ".yml");
        add(format!("tests/{name}"), rules::case_file(&alert));
    }
    for dashboard in dashboards::all() {
        add(
            format!("dashboards/{}.json", dashboard.name),
            dashboard.json(),
        );
    }
    add(
        "provisioning/dashboards.yml".into(),
        dashboards::provisioning(),
    );
    add("alertmanager.yml".into(), routes::alertmanager());
    add("prometheus.yml".into(), routes::prometheus());
    add("blackbox.yml".into(), blackbox::modules());
    add("logs/alloy/config.alloy".into(), logs::ALLOY.into());
    add("logs/vector/vector.yaml".into(), logs::VECTOR.into());
    add(
        "logs/fluent-bit/fluent-bit.yaml".into(),
        logs::FLUENT_BIT.into(),
    );
    add("logs/opensearch-policy.json".into(), logs::policy());
    let line = LogLine::read(&read(LOG_LINE)?)?;
    add("logs/opensearch-template.json".into(), line.template());
    add("templates/portcullis.tmpl".into(), routes::TEMPLATE.into());
    add("mixin.libsonnet".into(), dashboards::mixin());
    Ok(files)
}

/// Writes them, and removes what is made no more.
pub(crate) fn generate() -> Result<(), FileError> {
    let made = made()?;
    for path in there()?.difference(&made.keys().cloned().collect()) {
        let path = format!("{FOLDER}/{path}");
        fs::remove_file(root().join(&path)).map_err(|error| failed(&path, &error))?;
    }
    for (path, text) in made {
        let path = format!("{FOLDER}/{path}");
        let file = root().join(&path);
        let folder = file.parent().unwrap_or(&file);
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&file, text));
        written.map_err(|error| failed(&path, &error))?;
    }
    Ok(())
}

/// What differs from what would be made.
pub(crate) fn drift() -> Result<Vec<String>, FileError> {
    let made = made()?;
    let mut differing: Vec<_> = there()?
        .into_iter()
        .filter(|path| !made.contains_key(path))
        .collect();
    for (path, text) in made {
        if read(&format!("{FOLDER}/{path}")).ok() != Some(text) {
            differing.push(path);
        }
    }
    Ok(differing)
}

/// The files that stand there, but those that are written by hand.
fn there() -> Result<std::collections::BTreeSet<String>, FileError> {
    let folder = root().join(FOLDER);
    let mut found = std::collections::BTreeSet::new();
    let mut folders = vec![folder.clone()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = fs::read_dir(&next) else {
            continue;
        };
        for entry in entries {
            let path = entry.map_err(|error| failed(FOLDER, &error))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(below) = path.strip_prefix(&folder) {
                found.insert(below.to_string_lossy().into_owned());
            }
        }
    }
    found.retain(|path| !WRITTEN.contains(&path.as_str()));
    Ok(found)
}

fn failed(path: &str, error: &io::Error) -> FileError {
    FileError::File {
        path: path.to_owned(),
        kind: error.kind(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_committed_is_what_would_be_made() {
        let differing = drift().unwrap();
        assert!(
            differing.is_empty(),
            "run `cargo run -p portcullis-ops generate`: {differing:?}"
        );
    }
}

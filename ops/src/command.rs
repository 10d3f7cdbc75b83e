//! The command line.

use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
};

use thiserror::Error;

use crate::{
    alerts,
    check::{self, Subject},
    dashboards,
    files::{self, FileError},
    mentions,
    query::{self, QueryError},
    requirements, rules, runbooks, slo, tests_there,
};

const USAGE: &str = "usage: ops generate | check | query --prometheus URL";

/// Why a command did not do what it was asked.
#[derive(Debug, Error)]
enum CommandError {
    #[error("{USAGE}")]
    Usage,
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error("{0} found")]
    Found(usize),
}

/// Runs the command that the arguments name.
#[must_use]
pub fn run() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        ["generate"] => generate(),
        ["check"] => check(),
        ["query", "--prometheus", url] => ask(url),
        _ => Err(CommandError::Usage),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn generate() -> Result<(), CommandError> {
    files::generate()?;
    Ok(requirements::generate()?)
}

/// What is wrong with the rules, the dashboards, the runbooks, the files that are made of them, and with what
/// documents say of alerts and tests.
fn check() -> Result<(), CommandError> {
    let findings = findings()?;
    findings.iter().for_each(|finding| tell(finding));
    match findings.len() {
        0 => Ok(()),
        found => Err(CommandError::Found(found)),
    }
}

fn findings() -> Result<Vec<String>, FileError> {
    let catalogue = files::catalogue()?;
    let findings = check::check(&Subject {
        catalogue: &catalogue,
        recordings: &rules::recordings(),
        alerts: &alerts::all(),
        dashboards: &dashboards::all(),
        slos: &slo::SLOS,
    });
    let mut findings: Vec<_> = findings
        .iter()
        .map(|finding| format!("{}: {}", finding.place, finding.fault))
        .collect();
    findings.extend(alerts::unmatched(&alerts::all(), &catalogue));
    findings.extend(runbooks::check()?);
    findings.extend(mentions::check()?);
    findings.extend(requirements::check()?);
    findings.extend(tests_there::check()?);
    let differing = files::drift()?.into_iter();
    findings.extend(differing.map(|path| format!("deploy/monitoring/{path}: run `ops generate`")));
    Ok(findings)
}

/// Runs every query of every panel and rule, and tells which have no data.
fn ask(url: &str) -> Result<(), CommandError> {
    let empty = query::without_data(url, &query::all())?;
    empty
        .iter()
        .for_each(|place| tell(&format!("{place}: no data")));
    match empty.len() {
        0 => Ok(()),
        found => Err(CommandError::Found(found)),
    }
}

fn tell(text: &str) {
    // With no standard error left there is nobody to tell.
    drop(writeln!(io::stderr().lock(), "{text}"));
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_is_refused_of_what_is_committed() {
        let findings = super::findings().unwrap();
        assert!(findings.is_empty(), "{findings:#?}");
    }
}

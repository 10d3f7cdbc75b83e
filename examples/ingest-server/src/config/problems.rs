//! Configuration problems, collected so that one run shows them all.

use std::fmt;

use super::origin::Origin;

/// Problems found so far, each under the place its value came from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Problems {
    found: Vec<Problem>,
    warnings: Vec<Warning>,
}

/// What can be started with and is probably not meant: the setting, and what about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Warning {
    pub(crate) setting: String,
    pub(crate) message: String,
}

/// One setting that cannot be used. `message` never contains the value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Problem {
    origin: Origin,
    message: String,
}

/// What becomes of something that is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    Problem,
    Warning,
}

/// The configuration cannot be used; its text lists every reason.
#[derive(Debug, thiserror::Error)]
#[error("{}", Listing(.0))]
pub(crate) struct ConfigError(Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, origin: &Origin, message: impl Into<String>) {
        self.found.push(Problem {
            origin: origin.clone(),
            message: message.into(),
        });
    }

    /// For what no source gives a value for.
    pub(crate) fn add_variable(&mut self, variable: &str, message: impl Into<String>) {
        self.add(&Origin::Variable(variable.to_owned()), message);
    }

    /// What is told in one of the two ways.
    pub(crate) fn add_as(
        &mut self,
        severity: Severity,
        origin: &Origin,
        message: impl Into<String>,
    ) {
        match severity {
            Severity::Problem => self.add(origin, message),
            Severity::Warning => self.warn(origin, message),
        }
    }

    pub(crate) fn warn(&mut self, origin: impl ToString, message: impl Into<String>) {
        self.warnings.push(Warning {
            setting: origin.to_string(),
            message: message.into(),
        });
    }

    pub(crate) fn include(&mut self, others: &Self) {
        self.found.extend_from_slice(&others.found);
        self.warnings.extend_from_slice(&others.warnings);
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(crate) fn into_error(self) -> ConfigError {
        ConfigError(self.found)
    }

    pub(crate) fn into_warnings(self) -> Vec<Warning> {
        self.warnings
    }
}

struct Listing<'a>(&'a [Problem]);

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        write!(f, "the configuration has {count} {noun}:")?;
        for Problem { origin, message } in self.0 {
            write!(f, "\n  {origin}: {message}")?;
        }
        Ok(())
    }
}

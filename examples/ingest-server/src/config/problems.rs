//! Configuration problems, collected so that one run shows them all.

use std::fmt;

/// Problems found so far, each under the variable it belongs to.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

/// One setting that cannot be used. `message` never contains the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) variable: String,
    pub(crate) message: String,
}

/// The configuration cannot be used; its text lists every reason.
#[derive(Debug, thiserror::Error)]
#[error("{}", Listing(.0))]
pub(crate) struct ConfigError(Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, variable: &str, message: impl Into<String>) {
        self.0.push(Problem {
            variable: variable.to_owned(),
            message: message.into(),
        });
    }

    pub(crate) fn include(&mut self, others: &[Problem]) {
        self.0.extend_from_slice(others);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn into_error(self) -> ConfigError {
        ConfigError(self.0)
    }
}

struct Listing<'a>(&'a [Problem]);

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let noun = if count == 1 { "problem" } else { "problems" };
        write!(f, "the configuration has {count} {noun}:")?;
        for Problem { variable, message } in self.0 {
            write!(f, "\n  {variable}: {message}")?;
        }
        Ok(())
    }
}

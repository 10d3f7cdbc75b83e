//! Configuration problems, collected so that one run shows them all.

use std::fmt;

use super::origin::Origin;

/// Problems found so far, each under the place its value came from.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

/// One setting that cannot be used. `message` never contains the value.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Problem {
    origin: Origin,
    message: String,
}

/// The configuration cannot be used; its text lists every reason.
#[derive(Debug, thiserror::Error)]
#[error("{}", Listing(.0))]
pub(crate) struct ConfigError(Vec<Problem>);

impl Problems {
    pub(crate) fn add(&mut self, origin: &Origin, message: impl Into<String>) {
        self.0.push(Problem {
            origin: origin.clone(),
            message: message.into(),
        });
    }

    /// For what no source gives a value for.
    pub(crate) fn add_variable(&mut self, variable: &str, message: impl Into<String>) {
        self.add(&Origin::Variable(variable.to_owned()), message);
    }

    pub(crate) fn include(&mut self, others: &Self) {
        self.0.extend_from_slice(&others.0);
    }

    pub(crate) const fn is_empty(&self) -> bool {
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
        for Problem { origin, message } in self.0 {
            write!(f, "\n  {origin}: {message}")?;
        }
        Ok(())
    }
}

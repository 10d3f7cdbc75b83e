//! Reads variables, and notes what is wrong with each.

use super::{Environment, EnvironmentError};

/// Reads variables one by one, so that all that is wrong with them can be told at once.
pub(super) struct Reader<'e> {
    pub(super) environment: &'e Environment,
    pub(super) problems: Vec<EnvironmentError>,
}

impl Reader<'_> {
    /// Notes the first problem of a variable.
    pub(super) fn refuse(&mut self, problem: EnvironmentError) {
        let is_known = |known: &EnvironmentError| known.variable == problem.variable;
        if !self.problems.iter().any(is_known) {
            self.problems.push(problem);
        }
    }

    pub(super) fn text(&mut self, variable: &'static str) -> Option<String> {
        self.parsed(&[variable], "text", |value| Some(value.to_owned()))
    }

    /// The first variable that is set, by a parser that answers `None` for what it refuses.
    pub(super) fn parsed<T>(
        &mut self,
        variables: &[&'static str],
        expected: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        match self.environment.first(variables) {
            Ok(None) => None,
            Ok(Some((variable, value))) => {
                let parsed = parse(&value);
                if parsed.is_none() {
                    self.refuse(EnvironmentError { variable, expected });
                }
                parsed
            }
            Err(problem) => {
                self.refuse(problem);
                None
            }
        }
    }

    pub(super) fn only(
        &mut self,
        variables: &[&'static str],
        expected: &'static str,
        allowed: &[&str],
    ) {
        self.parsed(variables, expected, |value| {
            let value = value.to_ascii_lowercase();
            allowed.contains(&value.as_str()).then_some(())
        });
    }
}

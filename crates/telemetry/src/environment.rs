//! Where `OTEL_*` variables are read from, and what is wrong with them.

mod endpoint;
mod export;
mod ignored;
mod limits;
mod propagators;
mod reader;
mod sampler;
mod settings;
mod syntax;
mod tls;

use std::{collections::HashMap, ffi::OsString, fmt, sync::Arc};

use thiserror::Error;

pub use self::ignored::EnvironmentWarning;
#[cfg(feature = "otlp-tls")]
pub(crate) use self::tls::PemFile;
pub(crate) use self::{
    endpoint::collector_url,
    export::{Endpoint, Export, Protocol},
    limits::{Batch, SpanLimits},
    settings::Settings,
    tls::TlsFiles,
};

/// Where the `OTEL_*` variables are read from.
#[derive(Clone)]
pub struct Environment {
    lookup: Arc<Lookup>,
}

type Lookup = dyn Fn(&str) -> Option<OsString> + Send + Sync;

/// A variable that is set to something that cannot be honoured.
///
/// The value is left out of the text: headers carry credentials.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("environment variable {variable} must be {expected}")]
#[non_exhaustive]
pub struct EnvironmentError {
    /// The variable to correct.
    pub variable: &'static str,
    /// What it may be.
    pub expected: &'static str,
}

impl Environment {
    /// The variables of this process.
    #[must_use]
    pub fn process() -> Self {
        Self::from_lookup(|name| std::env::var_os(name))
    }

    /// No variables at all.
    #[must_use]
    pub fn empty() -> Self {
        Self::from_lookup(|_| None)
    }

    /// These variables and no others.
    #[must_use]
    pub fn from_pairs<N: Into<String>, V: Into<OsString>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let pairs: HashMap<String, OsString> = pairs
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        Self::from_lookup(move |name| pairs.get(name).cloned())
    }

    /// Whatever `lookup` answers for a variable's name.
    #[must_use]
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<OsString> + Send + Sync + 'static) -> Self {
        Self {
            lookup: Arc::new(lookup),
        }
    }

    /// Every variable that cannot be honoured, without starting anything: what
    /// [`Builder::init`](crate::Builder::init) would refuse one by one. A variable that asks for
    /// export over OTLP is one of them when the crate is built without the feature `otlp-http`.
    #[must_use]
    pub fn problems(&self) -> Vec<EnvironmentError> {
        let (settings, mut problems) = Settings::read_all(self);
        problems.extend(settings.exporter_missing());
        problems
    }

    /// Every standard variable that is set and changes nothing, and every name in a list that is
    /// passed over. Nobody has to set anything right, but somebody may count on it: log them.
    #[must_use]
    pub fn warnings(&self) -> Vec<EnvironmentWarning> {
        let mut warnings = ignored::ignored(self);
        warnings.extend(propagators::passed_over(self));
        warnings
    }

    /// The names of the specification's variables: those that are honoured, and those that are
    /// refused or told as [`warnings`](Self::warnings). Any other `OTEL_…` is none of them.
    pub fn variables() -> impl Iterator<Item = &'static str> {
        let honoured = settings::HONOURED.into_iter().chain(tls::VARIABLES);
        honoured.chain(ignored::names())
    }

    fn is_set(&self, variable: &'static str) -> bool {
        // What is no text is set all the same.
        !matches!(self.first(&[variable]), Ok(None))
    }

    fn says(&self, variable: &'static str, text: &str) -> bool {
        let value = self.first(&[variable]);
        value.is_ok_and(|value| value.is_some_and(|(_, value)| value.eq_ignore_ascii_case(text)))
    }

    /// The first of `variables` that is set, with its name. Empty counts as unset, as the
    /// specification wants it.
    fn first(
        &self,
        variables: &[&'static str],
    ) -> Result<Option<(&'static str, String)>, EnvironmentError> {
        for &variable in variables {
            match (self.lookup)(variable).map(OsString::into_string) {
                None => {}
                Some(Err(_)) => {
                    return Err(EnvironmentError {
                        variable,
                        expected: "UTF-8 text",
                    });
                }
                Some(Ok(value)) if value.trim().is_empty() => {}
                Some(Ok(value)) => return Ok(Some((variable, value.trim().to_owned()))),
            }
        }
        Ok(None)
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

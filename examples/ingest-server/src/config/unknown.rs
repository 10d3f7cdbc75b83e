//! Variables that look like settings and are none. They are no problem, because container platforms
//! inject their own, such as `INGEST_SERVICE_HOST`; but one may be a typing error.

use std::fmt;

use super::{settings, sources::Sources};
use crate::spelling;

/// A variable with a prefix of ours that nothing reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnknownVariable {
    name: String,
    /// The variable that was probably meant.
    nearest: Option<String>,
}

pub(super) fn find(sources: &Sources) -> Vec<UnknownVariable> {
    let known: Vec<_> = settings::variables().collect();
    let unknown = sources
        .own_variables()
        .filter(|name| !known.iter().any(|known| known == name));
    unknown
        .map(|name| UnknownVariable {
            name: name.to_owned(),
            nearest: spelling::nearest(name, known.iter()).cloned(),
        })
        .collect()
}

impl fmt::Display for UnknownVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.nearest {
            Some(nearest) => write!(f, " (did you mean {nearest}?)"),
            None => Ok(()),
        }
    }
}

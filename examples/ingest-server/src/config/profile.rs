//! Which promises the process makes about its surroundings.

use std::str::FromStr;

use super::{
    problems::{Problems, Severity},
    settings,
    sources::Sources,
};

/// How strict the start is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// One command on a fresh machine: missing secrets are generated for an empty database.
    Dev,
    /// Refuses to start without every secret, with weak ones or with an open admin address.
    Production,
}

/// The text names no profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnknownProfile;

impl Profile {
    /// How what endangers secrets or data is told.
    pub(crate) const fn danger(self) -> Severity {
        match self {
            Self::Production => Severity::Problem,
            Self::Dev => Severity::Warning,
        }
    }
}

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, UnknownProfile> {
        match text {
            "dev" => Ok(Self::Dev),
            "production" => Ok(Self::Production),
            _ => Err(UnknownProfile),
        }
    }
}

pub(super) fn read(sources: &Sources, problems: &mut Problems) -> Profile {
    let given = sources.value(settings::PROFILE);
    let profile = given.and_then(|given| given.parse("`dev` or `production`", problems));
    // The stricter one, so that its problems are listed too.
    profile.unwrap_or(Profile::Production)
}

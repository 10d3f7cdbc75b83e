//! The keys that the probe shows.

use std::path::Path;

use portcullis_apikey_cache::ApiKey;

use crate::files;

/// Two keys, with room to spare.
const MAX_BYTES: usize = 1_024;

/// What the probe has of the service.
#[derive(Debug)]
pub(super) struct Keys {
    /// Of the tenant of the probe.
    pub(super) key: ApiKey,
    /// One that must not be accepted any more.
    pub(super) revoked: ApiKey,
}

/// A file gives no keys. Nothing of it is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeysError {
    #[error("{0}")]
    Unreadable(#[from] files::Unreadable),
    #[error("{0}")]
    Exposed(String),
    #[error("{0}")]
    Text(&'static str),
    #[error("must have two lines: the key of the probe, and one that was revoked")]
    Lines,
    #[error("line {0} is not an API key, or not all of one: copy it again")]
    Key(usize),
    #[error("has the same key twice: the second line is for one that was revoked")]
    Same,
}

impl Keys {
    /// Reads a file, which has to be as private as other files of secrets.
    ///
    /// # Errors
    /// It is not, or has not two keys.
    pub(super) fn read(path: &Path) -> Result<Self, KeysError> {
        let content = files::read_text(path, MAX_BYTES)?;
        let exposed = files::of_file(path).into_iter();
        if let Some(message) = exposed.chain(files::of_parents(path)).next() {
            return Err(KeysError::Exposed(message));
        }
        Self::parse(files::secret_text(&content).map_err(KeysError::Text)?)
    }

    fn parse(text: &str) -> Result<Self, KeysError> {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let [key, revoked] = lines[..] else {
            return Err(KeysError::Lines);
        };
        let read = |line, text| ApiKey::parse(text).map_err(|_| KeysError::Key(line));
        let (key, revoked) = (read(1, key)?, read(2, revoked)?);
        if key.kid() == revoked.kid() {
            return Err(KeysError::Same);
        }
        Ok(Self { key, revoked })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    #[test]
    fn a_file_that_gives_no_two_keys_is_refused_and_nothing_of_it_is_told() {
        for (text, error) in [
            ("pk_a", KeysError::Lines),
            ("pk_a\npk_b\npk_c", KeysError::Lines),
            ("pk_a\npk_b", KeysError::Key(1)),
        ] {
            let refused = Keys::parse(text).unwrap_err();
            assert_eq!(refused, error, "{text}");
            assert!(!refused.to_string().contains("pk_"));
        }
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let folder = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir()
            .unwrap();
        let path = folder.path().join("keys");
        let told = || Keys::read(&path).unwrap_err().to_string();
        assert!(told() == "cannot be read: entity not found", "{}", told());
        fs::write(&path, "\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(told().contains("chmod"), "{}", told());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(told() == "names an empty file", "{}", told());
    }
}

//! What keys begin with.

use thiserror::Error;

/// The longest prefix, and the longest environment.
const MAX_PART_LEN: usize = 16;
pub(crate) const MIN_LABEL_LEN: usize = 3;
pub(crate) const MAX_LABEL_LEN: usize = 2 * MAX_PART_LEN + 1;

/// What the keys of a service begin with, `<prefix>_<env>`: a prefix that secret scanners can look
/// for, and the environment, so that a key of one is not tried in another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFormat {
    label: Box<str>,
}

impl KeyFormat {
    /// Keys that begin with `<prefix>_<env>_`.
    ///
    /// # Errors
    ///
    /// If either is not 1 to 16 of `a-z 0-9`, beginning with a letter.
    pub fn new(prefix: &str, env: &str) -> Result<Self, InvalidKeyFormat> {
        if is_part(prefix.as_bytes()) && is_part(env.as_bytes()) {
            Ok(Self {
                label: format!("{prefix}_{env}").into(),
            })
        } else {
            Err(InvalidKeyFormat)
        }
    }

    pub(crate) fn label(&self) -> &str {
        &self.label
    }
}

impl Default for KeyFormat {
    /// `pcl_live_…`
    fn default() -> Self {
        Self {
            label: "pcl_live".into(),
        }
    }
}

/// Whether this is a prefix, `_` and an environment.
pub(crate) fn is_label(bytes: &[u8]) -> bool {
    let mut parts = bytes.splitn(2, |byte| *byte == b'_');
    parts.next().is_some_and(is_part) && parts.next().is_some_and(is_part)
}

fn is_part(bytes: &[u8]) -> bool {
    (1..=MAX_PART_LEN).contains(&bytes.len())
        && bytes[0].is_ascii_lowercase()
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

/// A prefix or an environment that keys cannot have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("prefix and environment of a key are 1 to 16 of a-z 0-9, beginning with a letter")]
#[non_exhaustive]
pub struct InvalidKeyFormat;

//! Identifiers of tenants, actors, things and nodes: pseudonyms, and nothing that says who somebody is.

use std::{borrow::Cow, fmt};

use ring::digest::{SHA256, digest};

use super::Action;
use crate::{note::KeyName, tree::TreeHash};

/// Looks at an id before it goes into an event: what detects personal data in a text.
pub trait Screen: fmt::Debug + Send + Sync {
    /// Whether the text has personal data in it, and so must not be kept.
    ///
    /// # Contract
    /// The same text is judged the same way each time, and nothing is kept of it.
    fn is_personal(&self, text: &str) -> bool;
}

/// An identifier: 1 to 128 of `A-Z`, `a-z`, `0-9`, `_`, `.`, `:`, `/` and `-`, and not a number of more than 6 digits,
/// which could be a telephone, card or account number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(Cow<'static, str>);

/// Why a text is no id. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidId {
    /// It has another form.
    #[error("an id must have 1 to 128 of A-Z, a-z, 0-9, `_`, `.`, `:`, `/` and `-`")]
    Malformed,
    /// It is a number of more than 6 digits.
    #[error("an id must not be a number of more than 6 digits")]
    Number,
    /// The [`Screen`] says that it is personal data.
    #[error("an id must not be personal data; give the id under which the service keeps it")]
    Personal,
}

const MAX_BYTES: usize = 128;
const MAX_DIGITS: usize = 6;

impl Id {
    /// The tenant of what belongs to none.
    pub const SYSTEM_TENANT: Self = Self::constant("system");

    /// Parses an id.
    ///
    /// # Errors
    /// [`InvalidId`] names what is wrong with it.
    pub fn parse(text: &str, screen: &dyn Screen) -> Result<Self, InvalidId> {
        check(text.as_bytes())?;
        if screen.is_personal(text) {
            return Err(InvalidId::Personal);
        }
        Ok(Self(Cow::Owned(text.to_owned())))
    }

    /// An id that is a constant of the program.
    ///
    /// # Panics
    /// On what is no id: in a `const`, where it belongs, it does not compile.
    #[must_use]
    pub const fn constant(text: &'static str) -> Self {
        assert!(
            check(text.as_bytes()).is_ok(),
            "an id has 1 to 128 of A-Z, a-z, 0-9, `_`, `.`, `:`, `/` and `-`, and is no number of more than 6 digits"
        );
        Self(Cow::Borrowed(text))
    }

    /// The name of an action, as the id of a thing that events are about.
    pub(crate) const fn of_action(action: Action) -> Self {
        Self(Cow::Borrowed(action.as_str()))
    }

    /// The index of a leaf, as the id of a thing that events are about: `n` and the number.
    pub(crate) fn of_leaf_index(n: u64) -> Self {
        Self(Cow::Owned(format!("n{n}")))
    }

    /// The origin of a log, as the id of a thing that events are about; of one that no id can have, its SHA-256.
    pub(crate) fn of_origin(origin: &KeyName) -> Self {
        let text = origin.as_str();
        if check(text.as_bytes()).is_ok() {
            return Self(Cow::Owned(text.to_owned()));
        }
        let hash = digest(&SHA256, text.as_bytes());
        Self(Cow::Owned(format!("sha256:{}", hex(hash.as_ref()))))
    }

    /// Size and root of a tree, as the id of a thing that events are about: `502:` and the root in hexadecimal.
    pub(crate) fn of_tree(size: u64, root: &TreeHash) -> Self {
        Self(Cow::Owned(format!("{size}:{}", hex(root.as_bytes()))))
    }

    /// One that stands in a leaf, and so was screened when it was written.
    pub(crate) fn of_leaf(text: &str) -> Self {
        Self(Cow::Owned(text.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Id({})", self.0)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a text has the form of an id.
pub(super) const fn check(text: &[u8]) -> Result<(), InvalidId> {
    if text.is_empty() || text.len() > MAX_BYTES {
        return Err(InvalidId::Malformed);
    }
    let (mut at, mut is_number) = (0, true);
    while at < text.len() {
        match text[at] {
            b'0'..=b'9' => {}
            b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'.' | b':' | b'/' | b'-' => is_number = false,
            _ => return Err(InvalidId::Malformed),
        }
        at += 1;
    }
    if is_number && text.len() > MAX_DIGITS {
        return Err(InvalidId::Number);
    }
    Ok(())
}

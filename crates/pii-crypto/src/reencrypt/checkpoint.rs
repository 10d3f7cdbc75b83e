//! Where a sweep is, as it is stored.

use std::fmt::Write as _;

use portcullis_keyring::sweep::Cursor;
use sha2::{Digest as _, Sha256};

use super::Scope;

/// Where a sweep of a scope is: `<scope> <rows done> <row>`.
///
/// It tells its scope, so that a sweep that is given another one under the same name begins at the
/// first row: what is behind the cursor of one scope may be in the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checkpoint {
    pub(super) done: u64,
    pub(super) at: Cursor,
}

impl Checkpoint {
    pub(super) fn to_cursor(&self, scope: &Scope) -> Cursor {
        Cursor::new(format!("{} {} {}", tag(scope), self.done, self.at))
    }

    /// What was stored, if it is of this scope.
    pub(super) fn of(scope: &Scope, stored: &Cursor) -> Option<Self> {
        let (stored_tag, rest) = stored.as_str().split_once(' ')?;
        let (done, at) = rest.split_once(' ')?;
        (stored_tag == tag(scope)).then_some(Self {
            done: done.parse().ok()?,
            at: Cursor::new(at.to_owned()),
        })
    }
}

/// 64 bits of a hash: it tells scopes apart that were not made to be mistaken for each other.
fn tag(scope: &Scope) -> String {
    let mut text = String::new();
    match scope {
        Scope::Keys(ids) => {
            text.push_str("keys");
            for id in ids {
                write!(text, " {}", id.value()).expect("a string takes all");
            }
        }
        Scope::Plaintext => text.push_str("plaintext"),
        Scope::NotIndexed(version) => {
            write!(text, "index {version}").expect("a string takes all");
        }
        Scope::All => text.push_str("all"),
    }
    let mut tag = String::new();
    for byte in &Sha256::digest(text)[..8] {
        write!(tag, "{byte:02x}").expect("a string takes all");
    }
    tag
}

#[cfg(test)]
mod tests {
    use portcullis_keyring::KeyId;

    use super::*;

    #[test]
    fn it_is_read_back_for_its_scope_alone() {
        let scopes = [
            Scope::Keys([KeyId::new(1)].into()),
            Scope::Keys([KeyId::new(1), KeyId::new(2)].into()),
            Scope::Plaintext,
            Scope::NotIndexed(1_u32.try_into().unwrap()),
            Scope::NotIndexed(2_u32.try_into().unwrap()),
            Scope::All,
        ];
        let checkpoint = Checkpoint {
            done: 17,
            at: Cursor::new("tenant 7 lead-1".to_owned()),
        };
        for scope in &scopes {
            let stored = checkpoint.to_cursor(scope);
            for other in &scopes {
                let read = Checkpoint::of(other, &stored);
                assert_eq!(read, (scope == other).then(|| checkpoint.clone()));
            }
        }
    }

    #[test]
    fn what_somebody_else_stored_is_none() {
        for text in ["", "a", "a b", "a b c", "lead-1"] {
            assert_eq!(
                Checkpoint::of(&Scope::All, &Cursor::new(text.to_owned())),
                None
            );
        }
    }
}

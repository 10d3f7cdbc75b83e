//! What a stated reason may begin with.

use std::sync::Arc;

use portcullis_audit_log::event::Code;

/// The codes that reports tell apart. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct ReasonCodes(Arc<[Code]>);

/// Why a list cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidCodes {
    #[error(
        "entry {0} must be 1 to {MOST_BYTES} of `a` to `z`, digits, `-` and `_`, and begin with a letter"
    )]
    Form(usize),
    #[error("entry {0} stands there twice")]
    Twice(usize),
    #[error("entry {0} is what all other reasons are counted as")]
    Other(usize),
    #[error("has more than {MOST} entries")]
    TooMany,
}

/// What a reason is counted as that begins with none of them.
pub(super) const OTHER: Code = Code::new("other");

const MOST: usize = 64;
const MOST_BYTES: usize = 32;

impl ReasonCodes {
    /// Reads `billing,support`: once, at the start.
    ///
    /// A code is a constant of the program, so that no value of a request can become one. What the operator names is as
    /// constant: it lives as long as the process, and there is no more of it than a list has.
    ///
    /// # Errors
    /// [`InvalidCodes`] says which entry is wrong, and repeats none.
    pub(crate) fn configured(list: &str) -> Result<Self, InvalidCodes> {
        let mut words: Vec<&str> = Vec::new();
        for (index, word) in list.split(',').map(str::trim).enumerate() {
            let number = index + 1;
            if !is_code(word) {
                return Err(InvalidCodes::Form(number));
            }
            if word == OTHER.as_str() {
                return Err(InvalidCodes::Other(number));
            }
            if words.contains(&word) {
                return Err(InvalidCodes::Twice(number));
            }
            words.push(word);
        }
        if words.len() > MOST {
            return Err(InvalidCodes::TooMany);
        }
        let constant = |word: &str| Code::new(word.to_owned().leak());
        Ok(Self(words.into_iter().map(constant).collect()))
    }

    /// The one that a word is, in whatever case.
    pub(super) fn find(&self, word: &str) -> Option<Code> {
        let mut codes = self.0.iter().copied();
        codes.find(|code| code.as_str().eq_ignore_ascii_case(word))
    }
}

fn is_code(word: &str) -> bool {
    let is_plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
    };
    word.len() <= MOST_BYTES
        && word.starts_with(|first: char| first.is_ascii_lowercase())
        && word.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_of_different_words_in_plain_letters() {
        let codes = ReasonCodes::configured("billing, subject-request,k9").unwrap();
        for (word, found) in [
            ("billing", Some("billing")),
            ("BILLING", Some("billing")),
            ("k9", Some("k9")),
            ("bill", None),
            ("", None),
        ] {
            assert_eq!(codes.find(word).map(Code::as_str), found, "{word}");
        }
        let most: Vec<_> = (0..65).map(|n| format!("k{n}")).collect();
        for (list, error) in [
            ("", InvalidCodes::Form(1)),
            ("billing,", InvalidCodes::Form(2)),
            ("Billing", InvalidCodes::Form(1)),
            ("7", InvalidCodes::Form(1)),
            ("a.b", InvalidCodes::Form(1)),
            ("a,b,a", InvalidCodes::Twice(3)),
            ("a,other", InvalidCodes::Other(2)),
            (&"k".repeat(33), InvalidCodes::Form(1)),
            (&most.join(","), InvalidCodes::TooMany),
        ] {
            assert_eq!(ReasonCodes::configured(list).unwrap_err(), error, "{list}");
        }
        assert!(ReasonCodes::configured(&most[1..].join(",")).is_ok());
    }
}

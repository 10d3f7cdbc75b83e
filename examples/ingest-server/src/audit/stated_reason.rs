//! What personal data is said to be read for: a code that reports count, the number of a ticket, and words.

use portcullis_audit_log::event::{Code, Id, Screen};
use portcullis_pii_detect::Detector;

use super::{ReasonCodes, reason_codes::OTHER, screen::ReferenceScreen};

/// A stated reason. Code and reference stand in the entry; what else was typed lies beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StatedReason {
    code: Code,
    reference: Option<Id>,
    text: Option<String>,
}

/// The longest number of a ticket: a UUID.
const MAX_REFERENCE: usize = 36;

impl StatedReason {
    /// `support T-1042` is a code and a reference. In what is typed otherwise, patterns of personal data are replaced by
    /// what they are, although it is sealed.
    pub(crate) fn of(text: &str, codes: &ReasonCodes, detector: &Detector) -> Self {
        let mut words = text.split_whitespace();
        let first = words.next().unwrap_or_default();
        let first = first.trim_end_matches([':', ',']);
        let code = codes.find(first);
        let reference = code.and_then(|_| words.next()).and_then(reference);
        let words = words.next().is_some() || (reference.is_none() && text != first);
        let has_more = code.is_none() || words;
        Self {
            code: code.unwrap_or(OTHER),
            reference,
            text: has_more.then(|| detector.mask(text).into_owned()),
        }
    }

    /// A configured code alone, in whatever case; none of another word.
    pub(crate) fn coded(word: &str, codes: &ReasonCodes) -> Option<Self> {
        codes.find(word).map(|code| Self {
            code,
            reference: None,
            text: None,
        })
    }

    pub(super) const fn code(&self) -> Code {
        self.code
    }

    pub(super) const fn reference(&self) -> Option<&Id> {
        self.reference.as_ref()
    }

    pub(super) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }
}

/// The number of a ticket: letters, digits and dashes, with a digit, which a name has not.
fn reference(word: &str) -> Option<Id> {
    reference_by(word, &ReferenceScreen::standard())
}

/// The same, by a screen that says what is personal.
pub(super) fn reference_by(word: &str, screen: &dyn Screen) -> Option<Id> {
    let word = word.trim_matches(['#', ',', ';', ':', '.', '(', ')']);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_number = word.len() <= MAX_REFERENCE
        && word.bytes().all(is_plain)
        && word.bytes().any(|byte| byte.is_ascii_digit());
    if !is_number {
        return None;
    }
    Id::parse(word, screen).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_and_a_number_are_told_and_words_lie_beside() {
        let codes = ReasonCodes::configured("legal,support").unwrap();
        for (typed, code, reference, text) in [
            ("support T-1042", "support", Some("T-1042"), None),
            ("Support: #1042", "support", Some("1042"), None),
            ("legal", "legal", None, None),
            (
                "support T-1042, she called",
                "support",
                Some("T-1042"),
                Some("support T-1042, she called"),
            ),
            (
                "support Ada Lovelace",
                "support",
                None,
                Some("support Ada Lovelace"),
            ),
            (
                "support ada.lovelace2",
                "support",
                None,
                Some("support ada.lovelace2"),
            ),
            (
                "support +442079460958",
                "support",
                None,
                Some("support [phone]"),
            ),
            (
                "support 442079460958",
                "support",
                None,
                Some("support 442079460958"),
            ),
            (
                "support 4479-4609-5812",
                "support",
                None,
                Some("support 4479-4609-5812"),
            ),
            (
                "support INC-20261128-12",
                "support",
                Some("INC-20261128-12"),
                None,
            ),
            (
                "support 01a21473-4fe0-7d94-bf7c-5d47228ca4aa",
                "support",
                Some("01a21473-4fe0-7d94-bf7c-5d47228ca4aa"),
                None,
            ),
            ("she called", "other", None, Some("she called")),
            ("T-1042", "other", None, Some("T-1042")),
            ("supported T-1042", "other", None, Some("supported T-1042")),
            (
                "asked by ada@example.com",
                "other",
                None,
                Some("asked by [email]"),
            ),
        ] {
            let reason = StatedReason::of(typed, &codes, &Detector::standard());
            assert_eq!(reason.code().as_str(), code, "{typed}");
            assert_eq!(reason.reference().map(Id::as_str), reference, "{typed}");
            assert_eq!(reason.text(), text, "{typed}");
        }
    }
}

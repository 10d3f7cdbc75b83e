//! One pass over one text from left to right: which rule is asked at which byte.

use std::ops::Range;

use crate::{
    detector::Detector,
    finding::{Confidence, Finding},
    kind::Kind,
    rules::{card, email, phone, secret},
};

/// What is left to look at.
#[derive(Clone, Debug)]
pub(crate) struct Scan<'d, 't> {
    detector: &'d Detector,
    /// The name of the field that holds the text; empty if it has none.
    name: &'t str,
    text: &'t str,
    from: usize,
}

impl<'d, 't> Scan<'d, 't> {
    pub(crate) fn new(detector: &'d Detector, name: &'t str, text: &'t str) -> Self {
        Self {
            detector,
            name,
            text,
            from: 0,
        }
    }

    /// The leftmost finding behind those that were given.
    pub(crate) fn next(&mut self) -> Option<Finding> {
        let found = self.next_from(self.from);
        self.from = found
            .as_ref()
            .map_or(self.text.len(), |finding| finding.range.end);
        found
    }

    fn next_from(&self, from: usize) -> Option<Finding> {
        let bytes = self.text.as_bytes();
        let mut at = from;
        while at < bytes.len() {
            let starts_word = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
            if starts_word && is_uuid(&bytes[at..]) {
                at += UUID_BYTES;
                continue;
            }
            if let Some(finding) = self.at(from, at, starts_word) {
                return Some(finding);
            }
            at += 1;
        }
        None
    }

    /// What is recognised by the byte at `at`: the first of what is found, or the `@` of an address
    /// that reaches back no further than `from`.
    fn at(&self, from: usize, at: usize, starts_word: bool) -> Option<Finding> {
        let (text, bytes) = (self.text, self.text.as_bytes());
        match bytes[at] {
            b'@' => self.report(Kind::Email, "email", email::around(text, from, at..at + 1)),
            b'%' if bytes[at..].starts_with(b"%40") => {
                self.report(Kind::Email, "email", email::around(text, from, at..at + 3))
            }
            b'0'..=b'9' | b'+' | b'(' => self
                .report(Kind::PaymentCard, "card", card::at(bytes, at))
                .or_else(|| self.report(Kind::Phone, "phone", phone::at(bytes, at))),
            _ => None,
        }
        .or_else(|| {
            let found = starts_word
                .then(|| secret::at(bytes, at, self.detector.secret_prefixes()))
                .flatten();
            self.report(Kind::ApiKey, "known_prefix", found)
        })
    }

    /// What a rule found, if the detector reports it.
    fn report(
        &self,
        kind: Kind,
        rule: &'static str,
        range: Option<Range<usize>>,
    ) -> Option<Finding> {
        let finding = Finding {
            kind,
            range: range?,
            rule,
            confidence: Confidence::High,
        };
        self.detector.reports(&finding).then_some(finding)
    }
}

const UUID_BYTES: usize = 36;

fn is_uuid(bytes: &[u8]) -> bool {
    bytes.len() >= UUID_BYTES
        && bytes[8] == b'-'
        && bytes[..UUID_BYTES]
            .iter()
            .enumerate()
            .all(|(index, byte)| match index {
                8 | 13 | 18 | 23 => *byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
        && !bytes.get(UUID_BYTES).is_some_and(u8::is_ascii_alphanumeric)
}

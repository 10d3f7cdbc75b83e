//! One pass over one text from left to right: which rule is asked at which byte.

use std::sync::LazyLock;

use crate::{
    detector::Detector,
    finding::Finding,
    kind::Kind,
    rules::{self, Source, secret},
};

/// The first bytes of what secrets begin with.
static BEGINS_LITERAL: LazyLock<[bool; 256]> = LazyLock::new(|| {
    let mut begins = [false; 256];
    for literal in secret::literals() {
        begins[usize::from(literal.as_bytes()[0])] = true;
    }
    begins
});

/// What is left to look at.
#[derive(Clone, Debug)]
pub(crate) struct Scan<'d, 't> {
    detector: &'d Detector,
    source: Source<'t>,
    from: usize,
}

impl<'d, 't> Scan<'d, 't> {
    pub(crate) fn new(detector: &'d Detector, name: &'t str, text: &'t str) -> Self {
        Self {
            detector,
            source: Source::new(name, text),
            from: 0,
        }
    }

    /// The leftmost finding behind those that were given.
    pub(crate) fn next(&mut self) -> Option<Finding> {
        let found = self.next_from(self.from);
        let length = self.source.text().len();
        self.from = found.as_ref().map_or(length, |finding| finding.range.end);
        found
    }

    fn next_from(&self, from: usize) -> Option<Finding> {
        let bytes = self.source.text().as_bytes();
        let mut at = from;
        while at < bytes.len() {
            let starts_word = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
            if starts_word && is_uuid(&bytes[at..]) {
                at += UUID_BYTES;
                continue;
            }
            if let Some(finding) = self.at(from, at) {
                return Some(finding);
            }
            at += 1;
        }
        None
    }

    /// What is recognised by the byte at `at`: the first of what is found, or the `@` of an address
    /// that reaches back no further than `from`.
    fn at(&self, from: usize, at: usize) -> Option<Finding> {
        let bytes = self.source.text().as_bytes();
        match bytes[at] {
            b'@' => self.report(rules::email_around(&self.source, from, at..at + 1)),
            b'%' if bytes[at..].starts_with(b"%40") => {
                self.report(rules::email_around(&self.source, from, at..at + 3))
            }
            b'0'..=b'9' | b'+' | b'(' => rules::AT_NUMBERS
                .iter()
                .find_map(|rule| self.report(rule(&self.source, from, at))),
            b':' => self
                .detector
                .looks_for(Kind::IpAddress)
                .then(|| rules::around_colon(&self.source, from, at))
                .flatten(),
            _ => None,
        }
        .or_else(|| {
            let own = self.detector.secret_prefixes();
            let text = self.source.text();
            let begins = BEGINS_LITERAL[usize::from(bytes[at])]
                || own.iter().any(|prefix| prefix.as_bytes()[0] == bytes[at]);
            let looked_for = self.detector.looks_for(Kind::ApiKey);
            let asked = looked_for && begins && text.is_char_boundary(at);
            self.report(asked.then(|| secret::at(text, at, own)).flatten())
        })
    }

    /// What a rule found, if the detector reports it.
    fn report(&self, found: Option<Finding>) -> Option<Finding> {
        found.filter(|finding| self.detector.reports(finding))
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

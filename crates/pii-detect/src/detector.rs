//! Looks for every kind in one pass over a text.

use std::{borrow::Cow, iter::FusedIterator, ops::Range};

use crate::{
    card, email,
    finding::Finding,
    kind::{Kind, KindSet},
    phone,
    secret::{self, STANDARD_PREFIX},
};

/// Recognises personal data and secrets by their value alone.
///
/// It is a pure function of the text: no state, no allocation while it looks, no network. UUIDs,
/// hexadecimal ids, timestamps, IP addresses and plain numbers are left alone; a bare run of digits
/// is a card only with a brand's prefix, length and Luhn digit, and is a telephone number only when
/// it starts like one (`+`, `00`, `0`).
#[derive(Clone, Debug)]
pub struct Detector {
    kinds: KindSet,
    secret_prefixes: Vec<Box<str>>,
}

/// The findings in a text from left to right, without overlaps; made by [`Detector::find`].
#[derive(Clone, Debug)]
#[must_use = "an iterator finds nothing until it is consumed"]
pub struct Findings<'d, 't> {
    detector: &'d Detector,
    text: &'t str,
    from: usize,
}

/// What the patterns other than secrets need to see behind a cut.
const LOOK_AHEAD_BYTES: usize = 320;

impl Detector {
    /// Every kind, and the secret prefix `pcl_`.
    #[must_use]
    pub fn standard() -> Self {
        Self::new(KindSet::all(), vec![STANDARD_PREFIX.into()])
    }

    pub(crate) fn new(kinds: KindSet, secret_prefixes: Vec<Box<str>>) -> Self {
        Self {
            kinds,
            secret_prefixes,
        }
    }

    /// Whether this detector looks for `kind`.
    #[must_use]
    pub fn looks_for(&self, kind: Kind) -> bool {
        self.kinds.contains(kind)
    }

    /// Everything recognised in `text`, from left to right and without overlaps.
    pub fn find<'d, 't>(&'d self, text: &'t str) -> Findings<'d, 't> {
        Findings {
            detector: self,
            text,
            from: 0,
        }
    }

    /// The kind of the first finding in `text`; `None` when there is none.
    #[must_use]
    pub fn first_kind(&self, text: &str) -> Option<Kind> {
        self.find(text).next().map(|finding| finding.kind)
    }

    /// `text` with each finding replaced by its [placeholder](Kind::placeholder). Borrowed when
    /// nothing was found.
    #[must_use]
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut findings = self.find(text).peekable();
        if findings.peek().is_none() {
            return Cow::Borrowed(text);
        }
        let mut masked = String::with_capacity(text.len());
        let mut copied = 0;
        for finding in findings {
            masked.push_str(&text[copied..finding.range.start]);
            masked.push_str(finding.kind.placeholder());
            copied = finding.range.end;
        }
        masked.push_str(&text[copied..]);
        Cow::Owned(masked)
    }

    /// How many bytes behind a cut must be looked at to find what starts before it. A program that
    /// shows the first `n` bytes of a long text passes this many more to [`find`](Self::find), and
    /// hides what starts before `n`.
    #[must_use]
    pub fn look_ahead_bytes(&self) -> usize {
        let prefixes = self.secret_prefixes.iter().map(|prefix| prefix.len());
        let secret = prefixes.max().unwrap_or_default() + secret::MIN_BODY_BYTES;
        secret.max(LOOK_AHEAD_BYTES)
    }

    /// The leftmost finding that starts at `from` or later.
    fn next_from(&self, text: &str, from: usize) -> Option<Finding> {
        let bytes = text.as_bytes();
        let mut at = from;
        while at < bytes.len() {
            let starts_word = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
            if starts_word && is_uuid(&bytes[at..]) {
                at += UUID_BYTES;
                continue;
            }
            if let Some(finding) = self.at(text, from, at, starts_word) {
                return Some(finding);
            }
            at += 1;
        }
        None
    }

    /// What is recognised by the byte at `at`: the first of what is found, or the `@` of an address
    /// that reaches back no further than `from`.
    fn at(&self, text: &str, from: usize, at: usize, starts_word: bool) -> Option<Finding> {
        let bytes = text.as_bytes();
        match bytes[at] {
            b'@' => self.look(Kind::Email, || email::around(text, from, at..at + 1)),
            b'%' if bytes[at..].starts_with(b"%40") => {
                self.look(Kind::Email, || email::around(text, from, at..at + 3))
            }
            b'0'..=b'9' | b'+' | b'(' => self
                .look(Kind::PaymentCard, || card::at(bytes, at))
                .or_else(|| self.look(Kind::Phone, || phone::at(bytes, at))),
            _ => None,
        }
        .or_else(|| {
            starts_word.then_some(())?;
            self.look(Kind::ApiKey, || {
                secret::at(bytes, at, &self.secret_prefixes)
            })
        })
    }

    /// What `pattern` finds, if this detector looks for `kind` at all.
    fn look(&self, kind: Kind, pattern: impl FnOnce() -> Option<Range<usize>>) -> Option<Finding> {
        let range = self.looks_for(kind).then(pattern)??;
        Some(Finding { kind, range })
    }
}

impl Default for Detector {
    fn default() -> Self {
        Self::standard()
    }
}

impl Iterator for Findings<'_, '_> {
    type Item = Finding;

    fn next(&mut self) -> Option<Finding> {
        let found = self.detector.next_from(self.text, self.from);
        self.from = found
            .as_ref()
            .map_or(self.text.len(), |finding| finding.range.end);
        found
    }
}

impl FusedIterator for Findings<'_, '_> {}

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

#[cfg(test)]
mod tests;

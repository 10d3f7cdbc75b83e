//! The detector: what it looks for, and what it gives back.

use std::{borrow::Cow, iter::FusedIterator};

use crate::{
    finding::{Confidence, Finding},
    kind::{Kind, KindSet},
    rules::secret::{self, STANDARD_PREFIX},
    scan::Scan,
};

/// Recognises personal data and secrets by their value, and by the name of the field that holds it.
///
/// It is a pure function of the text: no state, no network. UUIDs, hexadecimal ids, timestamps and
/// plain numbers are left alone.
#[derive(Clone, Debug)]
pub struct Detector {
    kinds: KindSet,
    min_confidence: Confidence,
    secret_prefixes: Vec<Box<str>>,
}

/// The findings in a text from left to right, without overlaps; made by [`Detector::find`].
#[derive(Clone, Debug)]
#[must_use = "an iterator finds nothing until it is consumed"]
pub struct Findings<'d, 't> {
    scan: Scan<'d, 't>,
}

/// What the rules other than secrets need to see behind a cut.
const LOOK_AHEAD_BYTES: usize = 320;

impl Detector {
    /// Every kind but IP addresses, and the secret prefix `pcl_`.
    #[must_use]
    pub fn standard() -> Self {
        Self::new(
            KindSet::standard(),
            Confidence::Medium,
            vec![STANDARD_PREFIX.into()],
        )
    }

    pub(crate) fn new(
        kinds: KindSet,
        min_confidence: Confidence,
        secret_prefixes: Vec<Box<str>>,
    ) -> Self {
        Self {
            kinds,
            min_confidence,
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
        self.find_named("", text)
    }

    /// The same for the value of a field, whose name tells numbers apart: eleven digits in `mobile`
    /// are a telephone number, in `order_id` they are not.
    pub fn find_named<'d, 't>(&'d self, name: &'t str, text: &'t str) -> Findings<'d, 't> {
        Findings {
            scan: Scan::new(self, name, text),
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

    pub(crate) fn secret_prefixes(&self) -> &[Box<str>] {
        &self.secret_prefixes
    }

    pub(crate) fn reports(&self, finding: &Finding) -> bool {
        self.looks_for(finding.kind) && finding.confidence >= self.min_confidence
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
        self.scan.next()
    }
}

impl FusedIterator for Findings<'_, '_> {}

#[cfg(test)]
mod tests;

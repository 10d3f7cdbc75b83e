//! The detector: what it looks for, and what it gives back.

use std::{
    borrow::Cow,
    iter::{self, FusedIterator},
    sync::{Arc, LazyLock},
};

use crate::{
    finding::{Confidence, Finding},
    kind::{Kind, KindSet},
    pieces::Pieces,
    rules::secret::{self, STANDARD_PREFIX},
    scan::Literals,
};

/// Recognises personal data and secrets by their value, and by the name of the field that holds it.
///
/// It is a pure function of the text: no state, no network. UUIDs, hexadecimal ids, timestamps and
/// plain numbers are left alone.
///
/// A text is searched as it stands, and again where it changes when it is folded (full-width and
/// mathematical forms, digits of all scripts, dashes, spaces, what cannot be seen), and when one
/// coat and then another of percent-encoding, HTML entities and backslash escapes is taken off.
/// Whatever is found there is reported where it stands in the text that was given. Findings that
/// overlap are one, over all that any of them covers, with the kind of the surest.
///
/// What stands between findings is searched again, each piece as a text of its own, and a
/// [placeholder](Kind::placeholder) parts a text in the same way: in a masked text nothing is found.
///
/// Cheap to clone: clones share what was built.
#[derive(Clone, Debug)]
pub struct Detector {
    built: Arc<Built>,
}

#[derive(Debug)]
struct Built {
    kinds: KindSet,
    min_confidence: Confidence,
    literals: Literals,
}

/// The findings in a text from left to right, without overlaps; made by [`Detector::find`].
#[derive(Clone, Debug)]
#[must_use = "an iterator finds nothing until it is consumed"]
pub struct Findings<'d, 't> {
    pieces: Pieces<'d, 't>,
}

/// Built once, however often it is asked for.
static STANDARD: LazyLock<Detector> = LazyLock::new(|| {
    Detector::new(
        KindSet::standard(),
        Confidence::Medium,
        vec![STANDARD_PREFIX.into()],
    )
});

/// What the rules other than secrets need to see behind a cut: the longest local part, `@`, and the
/// longest domain.
const LOOK_AHEAD_CHARS: usize = 320;

/// The room for one character of what is encoded. The longest of the usual forms are an entity in
/// percent-encoding (`%26%2364%3B`, 11) and an entity in an entity (`&amp;#x0040;`, 12).
const ENCODED_BYTES: usize = 12;

impl Detector {
    /// Every kind but IP addresses, and the secret prefix `pcl_`.
    #[must_use]
    pub fn standard() -> Self {
        STANDARD.clone()
    }

    pub(crate) fn new(
        kinds: KindSet,
        min_confidence: Confidence,
        secret_prefixes: Vec<Box<str>>,
    ) -> Self {
        Self {
            built: Arc::new(Built {
                kinds,
                min_confidence,
                literals: Literals::with(secret_prefixes),
            }),
        }
    }

    /// Whether this detector looks for `kind`.
    #[must_use]
    pub fn looks_for(&self, kind: Kind) -> bool {
        self.built.kinds.contains(kind)
    }

    /// Everything recognised in `text`, from left to right and without overlaps.
    ///
    /// The time it takes grows with the length of the text and with nothing else. A text of ASCII
    /// without encoded characters and placeholders is looked at while the findings are asked for, and
    /// nothing is allocated for it but when one finding hid another; any other is looked at here, and
    /// copied up to three times.
    pub fn find<'d, 't>(&'d self, text: &'t str) -> Findings<'d, 't> {
        self.find_named("", text)
    }

    /// The same for the value of a field, whose name tells numbers apart: eleven digits in `mobile`
    /// are a telephone number, in `order_id` they are not.
    pub fn find_named<'d, 't>(&'d self, name: &'t str, text: &'t str) -> Findings<'d, 't> {
        Findings {
            pieces: Pieces::of(self, name, text),
        }
    }

    /// The kind of the first finding in `text`; `None` when there is none.
    #[must_use]
    pub fn first_kind(&self, text: &str) -> Option<Kind> {
        self.find(text).next().map(|finding| finding.kind)
    }

    /// `text` with each finding replaced by its [placeholder](Kind::placeholder), in which nothing is
    /// found any more. Borrowed when nothing was found.
    #[must_use]
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut findings = self.find(text);
        let Some(first) = findings.next() else {
            return Cow::Borrowed(text);
        };
        let mut masked = String::with_capacity(text.len());
        let mut copied = 0;
        for finding in iter::once(first).chain(findings) {
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
    ///
    /// It is twelve times what the longest address, or secret prefix, takes when it is written
    /// plainly, so that there is room for one in which every character is percent-encoded (twice
    /// over too), a character reference, or both. One that is written longer still, with zeros before
    /// each number or invisible characters between the letters, may be missed at a cut; in a whole
    /// text it is found.
    #[must_use]
    pub fn look_ahead_bytes(&self) -> usize {
        let prefixes = self.built.literals.own().iter();
        let longest = prefixes.map(|prefix| prefix.len()).max();
        let secret = longest.unwrap_or_default() + secret::MIN_BODY_BYTES;
        secret.max(LOOK_AHEAD_CHARS).saturating_mul(ENCODED_BYTES)
    }

    pub(crate) fn literals(&self) -> &Literals {
        &self.built.literals
    }

    pub(crate) fn reports(&self, finding: &Finding) -> bool {
        self.looks_for(finding.kind) && finding.confidence >= self.built.min_confidence
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
        self.pieces.next()
    }
}

impl FusedIterator for Findings<'_, '_> {}

#[cfg(test)]
mod tests;

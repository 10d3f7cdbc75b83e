//! A text and the pieces that its findings leave of it: masking leaves nothing that is found.
//!
//! Masking puts a placeholder where a finding stood, and what is beside it may read otherwise then: the
//! number that was part of a longer word stands alone, the quotes around a finding come closer. Hence a
//! piece between two findings, or between a finding and an end of the text, is searched again as a text
//! of its own, and so on until nothing is found in any; and a placeholder that stands in a text from the
//! start parts it into such pieces. What is left of a masked text is pieces in each of which, alone,
//! nothing is found, with placeholders between them: in it nothing is found either.

use std::{ops::Range, vec};

use memchr::{memchr, memchr_iter};

use crate::{detector::Detector, finding::Finding, kind::Kind, layers::Layered};

/// How often pieces of pieces are searched, so that time grows with the length of a text alone. A piece
/// in which something is found even in the last round is one finding as a whole.
const MOST_ROUNDS: usize = 4;

/// What is found in a text and in the gaps that this leaves, from left to right and apart.
#[derive(Clone, Debug)]
pub(crate) struct Pieces<'d, 't> {
    /// What is found at first sight, if no placeholder parts the text.
    layered: Layered<'d, 't>,
    /// Found in a gap, and behind it. Rare, and behind a pointer for that: texts are short, and what is
    /// moved around for each of them counts.
    queued: Option<Box<vec::IntoIter<Finding>>>,
}

impl<'d, 't> Pieces<'d, 't> {
    #[inline]
    pub(crate) fn of(detector: &'d Detector, name: &'t str, text: &'t str) -> Self {
        match placeholder_behind(text, 0) {
            None => Self {
                layered: Layered::new(detector, name, text),
                queued: None,
            },
            Some(first) => Self {
                layered: Layered::new(detector, name, ""),
                queued: Some(Box::new(between(detector, name, text, first).into_iter())),
            },
        }
    }
}

impl Iterator for Pieces<'_, '_> {
    type Item = Finding;

    #[inline]
    fn next(&mut self) -> Option<Finding> {
        if self.queued.is_some() {
            return self.next_queued();
        }
        let from = self.layered.from();
        let next = self.layered.next();
        if next.is_none() && from == 0 {
            return None;
        }
        self.with_gap(from, next)
    }
}

impl Pieces<'_, '_> {
    fn next_queued(&mut self) -> Option<Finding> {
        let finding = self.queued.as_mut().and_then(|queued| queued.next());
        if finding.is_some() {
            return finding;
        }
        self.queued = None;
        self.next()
    }

    fn with_gap(&mut self, from: usize, next: Option<Finding>) -> Option<Finding> {
        let mut found = in_gap(&self.layered, from, next.as_ref(), 0);
        if found.is_empty() {
            return next;
        }
        found.extend(next);
        self.queued = Some(Box::new(found.into_iter()));
        self.next_queued()
    }
}

/// What is found in the pieces between placeholders.
#[cold]
fn between(detector: &Detector, name: &str, text: &str, first: Range<usize>) -> Vec<Finding> {
    let (mut findings, mut from) = (Vec::new(), 0);
    let mut placeholder = Some(first);
    loop {
        let end = placeholder.as_ref().map_or(text.len(), |next| next.start);
        let piece = Layered::new(detector, name, &text[from..end]);
        let found = alone(piece, 0).into_iter();
        findings.extend(found.map(|finding| moved(finding, from)));
        let Some(next) = placeholder else {
            return findings;
        };
        from = next.end;
        placeholder = placeholder_behind(text, from);
    }
}

/// Everything that is found in a piece.
fn alone(mut piece: Layered<'_, '_>, round: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    loop {
        let from = piece.from();
        let next = piece.next();
        if next.is_some() || from > 0 {
            findings.extend(in_gap(&piece, from, next.as_ref(), round));
        }
        let Some(next) = next else {
            return findings;
        };
        findings.push(next);
    }
}

/// What is found between the end of one finding and the next, or the end of the piece, when it stands
/// alone.
fn in_gap(
    piece: &Layered<'_, '_>,
    from: usize,
    next: Option<&Finding>,
    round: usize,
) -> Vec<Finding> {
    let end = next.map_or_else(|| piece.text().len(), |next| next.range.start);
    let Some(mut gap) = piece.part(from..end) else {
        return Vec::new();
    };
    if round + 1 < MOST_ROUNDS {
        let found = alone(gap, round + 1).into_iter();
        return found.map(|finding| moved(finding, from)).collect();
    }
    let whole = |first| Finding {
        range: from..end,
        ..first
    };
    gap.next().map(whole).into_iter().collect()
}

fn moved(mut finding: Finding, by: usize) -> Finding {
    finding.range = finding.range.start + by..finding.range.end + by;
    finding
}

/// The first placeholder at or behind `from`.
fn placeholder_behind(text: &str, from: usize) -> Option<Range<usize>> {
    let rest = &text.as_bytes()[from..];
    let first = memchr(b'[', rest)?;
    let mut brackets = memchr_iter(b'[', &rest[first..]).map(|at| first + at);
    brackets.find_map(|at| {
        let mut placeholders = Kind::ALL.iter().map(|kind| kind.placeholder());
        let found = placeholders.find(|it| rest[at..].starts_with(it.as_bytes()))?;
        Some(from + at..from + at + found.len())
    })
}

#[cfg(test)]
mod tests;

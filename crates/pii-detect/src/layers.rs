//! The layers of a text: as it stands, folded, decoded once, decoded twice. What is found in any of
//! them is brought back to the text itself and put together.

use std::{ops::Range, vec};

use crate::{
    detector::Detector,
    finding::Finding,
    fold::{self, Layer},
    scan::{self, Scan},
};

/// How many coats of encoding are taken off.
const DECODINGS: usize = 2;

/// The findings in all layers of a text, from left to right and apart.
#[derive(Clone, Debug)]
pub(crate) enum Layered<'d, 't> {
    /// The text is its only layer: looked at while the findings are asked for.
    Alone(Scan<'d, 't>),
    /// Found in several layers.
    Together(Together<'d, 't>),
}

/// What was found in several layers of a text.
#[derive(Clone, Debug)]
pub(crate) struct Together<'d, 't> {
    detector: &'d Detector,
    name: &'t str,
    text: &'t str,
    /// Where the last finding ended.
    from: usize,
    findings: vec::IntoIter<Finding>,
}

impl<'d, 't> Layered<'d, 't> {
    #[inline]
    pub(crate) fn new(detector: &'d Detector, name: &'t str, text: &'t str) -> Self {
        let Some(findings) = find(detector, name, text) else {
            return Self::Alone(Scan::new(detector, name, text));
        };
        Self::Together(Together {
            detector,
            name,
            text,
            from: 0,
            findings: findings.into_iter(),
        })
    }

    pub(crate) fn text(&self) -> &'t str {
        match self {
            Self::Alone(scan) => scan.source().text(),
            Self::Together(together) => together.text,
        }
    }

    /// Where the last finding ended.
    pub(crate) const fn from(&self) -> usize {
        match self {
            Self::Alone(scan) => scan.from(),
            Self::Together(together) => together.from,
        }
    }

    /// A part as a text of its own; `None` if there is nothing to look at in it.
    pub(crate) fn part(&self, range: Range<usize>) -> Option<Self> {
        let text = &self.text()[range];
        match self {
            Self::Alone(scan) => {
                let (detector, name) = (scan.detector(), scan.source().name());
                let alone = || Self::Alone(Scan::new(detector, name, text));
                scan::may_find(detector, text).then(alone)
            }
            Self::Together(it) => {
                let may_find = scan::may_find(it.detector, text)
                    || !text.is_ascii()
                    || fold::decode(text).is_some();
                may_find.then(|| Self::new(it.detector, it.name, text))
            }
        }
    }
}

impl Iterator for Layered<'_, '_> {
    type Item = Finding;

    fn next(&mut self) -> Option<Finding> {
        match self {
            Self::Alone(scan) => scan.next(),
            Self::Together(together) => {
                let found = together.findings.next();
                let end = found.as_ref().map(|found| found.range.end);
                together.from = end.unwrap_or(together.text.len());
                found
            }
        }
    }
}

/// What is found in all layers of a text; `None` if it has but one, the text itself.
fn find(detector: &Detector, name: &str, text: &str) -> Option<Vec<Finding>> {
    let layers = layers_of(text);
    if layers.is_empty() {
        return None;
    }
    let mut findings: Vec<Finding> = Scan::new(detector, name, text).collect();
    for (depth, layer) in layers.iter().enumerate() {
        let mut found: Vec<_> = Scan::new(detector, name, layer.text()).collect();
        for layer in layers[..=depth].iter().rev() {
            layer.to_source(found.iter_mut().map(|finding| &mut finding.range));
        }
        findings.append(&mut found);
    }
    Some(merge(findings))
}

/// The layers above the text, each made from the one before it and different from it.
fn layers_of(text: &str) -> Vec<Layer> {
    let mut layers: Vec<_> = fold::fold(text).into_iter().collect();
    for _ in 0..DECODINGS {
        let Some(layer) = fold::decode(layers.last().map_or(text, Layer::text)) else {
            break;
        };
        layers.push(layer);
    }
    layers
}

/// Findings from left to right and apart. Those that overlap become one, of equally sure ones with the
/// kind of the leftmost, of those of the one in the layer that is nearest to the text.
fn merge(mut findings: Vec<Finding>) -> Vec<Finding> {
    // Stable: findings that start at the same byte stay in the order of their layers.
    findings.sort_by_key(|finding| finding.range.start);
    let mut merged: Vec<Finding> = Vec::with_capacity(findings.len());
    for finding in findings {
        match merged.last_mut() {
            Some(last) if finding.range.start < last.range.end => last.join(finding),
            _ => merged.push(finding),
        }
    }
    merged
}

#[cfg(test)]
mod tests;

//! The layers of a text: as it stands, folded, decoded once, decoded twice. What is found in any of
//! them is brought back to the text itself and put together.

use crate::{
    detector::Detector,
    finding::Finding,
    fold::{self, Layer},
    scan::Scan,
};

/// How many coats of encoding are taken off.
const DECODINGS: usize = 2;

/// What is found in all layers of a text; `None` if it has but one, the text itself.
pub(crate) fn find(detector: &Detector, name: &str, text: &str) -> Option<Vec<Finding>> {
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

/// Findings from left to right and apart. Those that overlap become one over all that any of them
/// covers, so that masking leaves no part of any; it has the kind of the surest, of equally sure
/// ones the leftmost, of those the one in the layer that is nearest to the text.
fn merge(mut findings: Vec<Finding>) -> Vec<Finding> {
    // Stable: findings that start at the same byte stay in the order of their layers.
    findings.sort_by_key(|finding| finding.range.start);
    let mut merged: Vec<Finding> = Vec::with_capacity(findings.len());
    for finding in findings {
        match merged.last_mut() {
            Some(last) if finding.range.start < last.range.end => {
                let range = last.range.start..last.range.end.max(finding.range.end);
                if finding.confidence > last.confidence {
                    *last = finding;
                }
                last.range = range;
            }
            _ => merged.push(finding),
        }
    }
    merged
}

#[cfg(test)]
mod tests;

//! Secrets of known shapes: keys and tokens with a prefix, JSON Web Tokens, private keys, credentials.

mod authorization;
mod jwt;
mod pem;
mod shapes;
mod url;

use std::ops::Range;

use self::shapes::{SHAPES, Shape};
use crate::{
    finding::{Confidence, Finding},
    kind::Kind,
};

/// The prefix that is known without being told: the API keys of `portcullis-apikey-cache`.
pub(crate) const STANDARD_PREFIX: &str = "pcl_";

/// Fewer characters after a prefix of one's own are taken for prose about keys.
pub(crate) const MIN_BODY_BYTES: usize = 8;

/// A shape that is more than a prefix and a word: its literals, and the rule that is asked where one
/// of them stands.
type Other = (&'static [&'static str], fn(&str, usize) -> Option<Secret>);

const OTHERS: [Other; 4] = [
    (jwt::LITERALS, jwt::at),
    (pem::LITERALS, pem::at),
    (authorization::LITERALS, authorization::at),
    (url::LITERALS, url::at),
];

/// A secret, and the rule that recognised it.
struct Secret {
    range: Range<usize>,
    rule: &'static str,
}

/// What every secret begins with, or has before it: where none of these stands, no rule of this module
/// finds anything.
pub(crate) fn literals() -> impl Iterator<Item = &'static str> {
    let shapes = SHAPES.iter().flat_map(|shape| shape.prefixes);
    let others = OTHERS.iter().flat_map(|(literals, _)| *literals);
    shapes.chain(others).copied()
}

/// A secret that one of the [`literals`], or of the prefixes `own`, begins or announces at `at`. It
/// may start behind `at`.
pub(crate) fn at(text: &str, at: usize, own: &[Box<str>]) -> Option<Finding> {
    let bytes = text.as_bytes();
    let secret = of_own(bytes, at, own)
        .or_else(|| SHAPES.iter().find_map(|shape| shape.at(bytes, at)))
        .or_else(|| OTHERS.iter().find_map(|(_, rule)| rule(text, at)))?;
    Some(Finding {
        kind: Kind::ApiKey,
        range: secret.range,
        rule: secret.rule,
        confidence: Confidence::High,
    })
}

fn of_own(bytes: &[u8], at: usize, prefixes: &[Box<str>]) -> Option<Secret> {
    if at > 0 && bytes[at - 1].is_ascii_alphanumeric() {
        return None;
    }
    let prefix = prefixes
        .iter()
        .find(|prefix| bytes[at..].starts_with(prefix.as_bytes()))?;
    let body = run(bytes, at + prefix.len(), |b| {
        b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')
    });
    (body >= MIN_BODY_BYTES).then(|| Secret {
        range: at..at + prefix.len() + body,
        rule: "known_prefix",
    })
}

/// How many bytes from `at` on are part of a word.
fn run(bytes: &[u8], at: usize, is_part: impl Fn(u8) -> bool) -> usize {
    bytes[at..].iter().take_while(|b| is_part(**b)).count()
}

impl Shape {
    fn at(&self, bytes: &[u8], at: usize) -> Option<Secret> {
        let prefix = self
            .prefixes
            .iter()
            .find(|prefix| bytes[at..].starts_with(prefix.as_bytes()))?;
        // A word is read once, from its start, however often it repeats the prefix.
        let inside = at > 0 && {
            let before = bytes[at - 1];
            before.is_ascii_alphanumeric()
                || matches!(before, b'_' | b'-' | b'.') && self.alphabet.contains(before)
        };
        if inside || self.is_public(&bytes[..at]) {
            return None;
        }
        let start = at + prefix.len();
        let last = bytes
            .len()
            .min(start.saturating_add(*self.lengths.end()).saturating_add(1));
        let length = run(&bytes[..last], start, |b| self.alphabet.contains(b));
        let length = length
            - bytes[start..start + length]
                .iter()
                .rev()
                .take_while(|b| **b == b'.')
                .count();
        let body = &bytes[start..start + length];
        let bound = bytes
            .get(start + length)
            .is_some_and(u8::is_ascii_alphanumeric);
        let fits = !bound && self.lengths.contains(&length) && self.alphabet.is_random(body);
        fits.then(|| Secret {
            range: at..start + length,
            rule: self.rule,
        })
    }
}

#[cfg(test)]
mod tests;

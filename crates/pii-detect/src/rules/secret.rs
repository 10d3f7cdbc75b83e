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

/// Rules of this module, a bit for each; the lowest is asked first.
pub(crate) type Rules = u64;

/// Prefixes of one's own, the shapes, the others.
const RULES: usize = 1 + SHAPES.len() + OTHERS.len();
const _: () = assert!(RULES <= Rules::BITS as usize);

/// The rule for prefixes of one's own.
pub(crate) const OWN: Rules = 1;

/// What every secret begins with, or has before it, and the rule that is asked there: where none of
/// these stands, no rule of this module finds anything.
pub(crate) fn literals<'a>() -> impl Iterator<Item = (&'a str, Rules)> {
    let shapes = SHAPES.iter().map(|shape| shape.prefixes);
    let others = OTHERS.iter().map(|(literals, _)| *literals);
    let rules = shapes.chain(others).zip((1..).map(|rule| OWN << rule));
    rules.flat_map(|(literals, rule)| literals.iter().map(move |literal| (*literal, rule)))
}

/// A secret that one of the [`literals`] of these rules, or of the prefixes `own`, begins or announces
/// at `at`. It may start behind `at`.
pub(crate) fn at(text: &str, at: usize, rules: Rules, own: &[Box<str>]) -> Option<Finding> {
    let mut left = rules;
    while left != 0 {
        let rule = left.trailing_zeros() as usize;
        left &= left - 1;
        if let Some(secret) = ask(rule, text, at, own) {
            return Some(Finding {
                kind: Kind::ApiKey,
                range: secret.range,
                rule: secret.rule,
                confidence: Confidence::High,
            });
        }
    }
    None
}

fn ask(rule: usize, text: &str, at: usize, own: &[Box<str>]) -> Option<Secret> {
    let Some(index) = rule.checked_sub(1) else {
        return of_own(text.as_bytes(), at, own);
    };
    match SHAPES.get(index) {
        Some(shape) => shape.at(text.as_bytes(), at),
        None => OTHERS[index - SHAPES.len()].1(text, at),
    }
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
        // A word is read once, from its start, however often it repeats the prefix.
        let inside = at > 0 && {
            let before = bytes[at - 1];
            before.is_ascii_alphanumeric()
                || matches!(before, b'_' | b'-' | b'.') && self.alphabet.contains(before)
        };
        if inside || self.is_public(&bytes[..at]) {
            return None;
        }
        let prefix = self
            .prefixes
            .iter()
            .find(|prefix| bytes[at..].starts_with(prefix.as_bytes()))?;
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

//! One pass over one text from left to right: which rule is asked at which byte.

mod prefixes;
mod skip;

use std::ops::Range;

use self::skip::{Skip, Stop};
use crate::{
    detector::Detector,
    finding::{Confidence, Finding},
    kind::Kind,
    rules::{card, email, phone, secret},
};

pub(crate) use self::prefixes::Prefixes;

/// What is left to look at.
#[derive(Clone, Debug)]
pub(crate) struct Scan<'d, 't> {
    detector: &'d Detector,
    /// The name of the field that holds the text; empty if it has none.
    name: &'t str,
    text: &'t str,
    from: usize,
    secret: Ahead,
}

/// The next secret with a known prefix.
#[derive(Clone, Debug)]
enum Ahead {
    /// It has not been looked for behind the last finding.
    Unknown,
    Found(Finding),
    Nowhere,
}

impl<'d, 't> Scan<'d, 't> {
    pub(crate) fn new(detector: &'d Detector, name: &'t str, text: &'t str) -> Self {
        Self {
            detector,
            name,
            text,
            from: 0,
            secret: Ahead::Unknown,
        }
    }

    /// The first finding at or behind `from`. The bytes between those at which rules are asked are
    /// skipped, and so are numbers too short for any rule.
    fn next_from(&mut self, from: usize) -> Option<Finding> {
        let bytes = self.text.as_bytes();
        let end = self.secret_behind(from).map_or(bytes.len(), |secret| {
            // A rule that is asked at the same byte comes first.
            secret.range.start + 1
        });
        let skip = Skip::new(self.detector.looks_for(Kind::IpAddress));
        let mut at = from;
        while let Some((stop, index)) = skip.to_stop(bytes, at, end) {
            at = match stop {
                Stop::Ask => index + 1,
                Stop::Number { end } => end,
                Stop::Skip { end } => {
                    at = end;
                    continue;
                }
            };
            if let Some(finding) = self.at(from, index) {
                return Some(finding);
            }
        }
        match &self.secret {
            Ahead::Found(secret) => Some(secret.clone()),
            Ahead::Unknown | Ahead::Nowhere => None,
        }
    }

    /// What is recognised by the byte at `at`: an `@`, or the start of a number. An address reaches
    /// back no further than `from`.
    fn at(&self, from: usize, at: usize) -> Option<Finding> {
        let (text, bytes) = (self.text, self.text.as_bytes());
        match bytes[at] {
            b'@' => self.report(Kind::Email, "email", email::around(text, from, at..at + 1)),
            _ => self
                .report(Kind::PaymentCard, "card", card::at(bytes, at))
                .or_else(|| self.report(Kind::Phone, "phone", phone::at(bytes, at))),
        }
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

    /// The first secret at or behind `from`.
    fn secret_behind(&mut self, from: usize) -> Option<&Finding> {
        let is_known = match &self.secret {
            Ahead::Unknown => false,
            Ahead::Found(secret) => secret.range.start >= from,
            Ahead::Nowhere => true,
        };
        if !is_known {
            let found = self.next_secret(from);
            self.secret = found.map_or(Ahead::Nowhere, Ahead::Found);
        }
        match &self.secret {
            Ahead::Found(secret) => Some(secret),
            Ahead::Unknown | Ahead::Nowhere => None,
        }
    }

    fn next_secret(&self, from: usize) -> Option<Finding> {
        if !self.detector.looks_for(Kind::ApiKey) {
            return None;
        }
        let bytes = self.text.as_bytes();
        let prefixes = self.detector.prefixes();
        prefixes
            .starts(bytes, from)
            .filter(|at| *at == 0 || !bytes[at - 1].is_ascii_alphanumeric())
            .find_map(|at| {
                let found = secret::at(bytes, at, prefixes.as_slice());
                self.report(Kind::ApiKey, "known_prefix", found)
            })
    }
}

impl Iterator for Scan<'_, '_> {
    type Item = Finding;

    /// The leftmost finding behind those that were given.
    fn next(&mut self) -> Option<Finding> {
        let found = self.next_from(self.from);
        self.from = found
            .as_ref()
            .map_or(self.text.len(), |finding| finding.range.end);
        found
    }
}

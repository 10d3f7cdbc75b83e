//! One pass over one text from left to right: which rule is asked at which byte.

mod literals;
mod skip;

use std::{mem, ops::Range};

use self::skip::{Skip, Stop};
use crate::{
    detector::Detector,
    finding::Finding,
    kind::Kind,
    rules::{self, Rule, Source, secret},
};

pub(crate) use self::literals::Literals;

/// What is left to look at.
#[derive(Clone, Debug)]
pub(crate) struct Scan<'d, 't> {
    detector: &'d Detector,
    source: Source<'t>,
    from: usize,
    secret: Ahead,
}

/// The next secret.
#[derive(Clone, Debug)]
enum Ahead {
    /// It has not been looked for.
    Unknown,
    Found(Finding),
    Nowhere,
}

impl<'d, 't> Scan<'d, 't> {
    #[inline]
    pub(crate) fn new(detector: &'d Detector, name: &'t str, text: &'t str) -> Self {
        Self {
            detector,
            source: Source::new(name, text),
            from: 0,
            secret: Ahead::Unknown,
        }
    }

    pub(crate) const fn detector(&self) -> &'d Detector {
        self.detector
    }

    pub(crate) const fn source(&self) -> &Source<'t> {
        &self.source
    }

    /// Where the last finding ended.
    pub(crate) const fn from(&self) -> usize {
        self.from
    }

    /// The first finding at or behind `from`. The bytes between those at which rules are asked are
    /// skipped, and so are numbers too short for any rule.
    fn next_from(&mut self, from: usize) -> Option<Finding> {
        let bytes = self.source.text().as_bytes();
        let secret = self.secret_behind(from);
        let end = secret.map_or(bytes.len(), |secret| {
            // A rule that is asked at the same byte comes first.
            secret.range.start + 1
        });
        let skip = skip_for(self.detector);
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

    /// What is recognised by the byte at `at`: an `@`, the colon of an address of the network, or the
    /// start of a number. An address reaches back no further than `from`.
    fn at(&self, from: usize, at: usize) -> Option<Finding> {
        match self.source.text().as_bytes()[at] {
            b'@' => self.report(rules::email_around(&self.source, from, at..at + 1)),
            b':' => self.report(rules::around_colon(&self.source, from, at)),
            b'+' | b'(' => self.ask(rules::AT_SIGNS, from, at),
            _ => self.ask(rules::AT_NUMBERS, from, at),
        }
    }

    /// What the first rule finds that finds something to report.
    fn ask(&self, rules: &[(Kind, Rule)], from: usize, at: usize) -> Option<Finding> {
        let mut asked = rules
            .iter()
            .filter(|(kind, _)| self.detector.looks_for(*kind));
        asked.find_map(|(_, rule)| self.report(rule(&self.source, from, at)))
    }

    /// What a rule found, if the detector reports it.
    fn report(&self, found: Option<Finding>) -> Option<Finding> {
        found.filter(|finding| self.detector.reports(finding))
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
        let text = self.source.text();
        let literals = self.detector.literals();
        literals
            .places(text, from)
            .find_map(|(at, rules)| self.report(secret::at(text, at, rules, literals.own())))
    }

    /// A finding together with the address that it is a part of, `"john 4111 … doe"@example.com`: what
    /// is left of the local part would be shown.
    fn with_address(&self, mut found: Finding) -> Finding {
        let text = self.source.text();
        while rules::email_may_go_on(text, self.from, found.range.end)
            && let Some(address) = self.address_around(&found.range)
        {
            if address.range.start < found.range.start {
                let within = mem::replace(&mut found, address);
                found.join(within);
            } else {
                found.join(address);
            }
        }
        found
    }

    /// The address whose local part has something in `found` and something beside it.
    fn address_around(&self, found: &Range<usize>) -> Option<Finding> {
        let mut signs = rules::email_signs_behind(self.source.text(), found.end);
        signs.find_map(|sign| {
            let address = rules::email_around(&self.source, self.from, sign..sign + 1)?;
            let start = address.range.start;
            let is_around = start < found.end && (start < found.start || sign > found.end);
            self.report(is_around.then_some(address))
        })
    }
}

fn skip_for(detector: &Detector) -> Skip {
    Skip::new(detector.looks_for(Kind::IpAddress))
}

/// Whether there is a byte in a text at which a rule might be asked.
pub(crate) fn may_find(detector: &Detector, text: &str) -> bool {
    let stop = skip_for(detector).next(text.as_bytes());
    stop.is_some() || detector.literals().may_start_in(text)
}

impl Iterator for Scan<'_, '_> {
    type Item = Finding;

    /// The leftmost finding behind those that were given.
    fn next(&mut self) -> Option<Finding> {
        let found = self.next_from(self.from);
        let found = found.map(|found| self.with_address(found));
        let length = self.source.text().len();
        self.from = found.as_ref().map_or(length, |finding| finding.range.end);
        found
    }
}

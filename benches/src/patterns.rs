//! The peer of the detector: regular expressions as they are passed around for the same kinds.

use std::borrow::Cow;

use regex::{Regex, RegexSet};

/// What is looked for, and by which pattern. `(?-u:…)` where ASCII is meant: with it the engine keeps
/// to its fast automaton.
const PATTERNS: &[(&str, &str)] = &[
    (
        "[email]",
        r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,24}",
    ),
    ("[phone]", r"\+[0-9](?:[ .()-]?[0-9]){7,14}"),
    ("[phone]", r"\([0-9]{3}\) ?[0-9]{3}-[0-9]{4}"),
    (
        "[phone]",
        r"(?-u:\b)[0-9]{3}[-.][0-9]{3}[-.][0-9]{4}(?-u:\b)",
    ),
    (
        "[payment_card]",
        r"(?-u:\b)(?:4[0-9]{3}|5[1-5][0-9]{2}|3[47][0-9]{2}|6011)(?:[ -]?[0-9]{4}){2}[ -]?[0-9]{3,4}(?-u:\b)",
    ),
    (
        "[national_id]",
        r"(?-u:\b)[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}(?-u:\b)",
    ),
    (
        "[national_id]",
        r"(?-u:\b)[0-9]{2}\.[0-9]{3}\.[0-9]{3}/[0-9]{4}-[0-9]{2}(?-u:\b)",
    ),
    (
        "[national_id]",
        r"(?-u:\b)[0-9]{3}-[0-9]{2}-[0-9]{4}(?-u:\b)",
    ),
    (
        "[bank_account]",
        r"(?-u:\b)[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?-u:\b)",
    ),
    (
        "[api_key]",
        r"(?-u:\b)(?:pcl_|ghp_|gho_|sk_live_|xox[abp]-|AKIA)[A-Za-z0-9_-]{8,}",
    ),
    (
        "[api_key]",
        r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
    ),
    ("[api_key]", r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
];

/// A set that says in one pass which patterns occur, and the patterns that then say where.
#[derive(Debug)]
pub struct Patterns {
    set: RegexSet,
    each: Vec<Regex>,
}

impl Patterns {
    /// Compiled once, as a service would at its start.
    ///
    /// # Panics
    /// If a pattern of this file is none.
    #[must_use]
    pub fn new() -> Self {
        let patterns = PATTERNS.iter().map(|(_, pattern)| pattern);
        Self {
            set: RegexSet::new(patterns.clone()).expect("the patterns stand above"),
            each: patterns
                .map(|pattern| Regex::new(pattern).expect("it stands above"))
                .collect(),
        }
    }

    /// How many spans are found: what the detector is compared with when it finds.
    #[must_use]
    pub fn count(&self, text: &str) -> usize {
        let found = self.set.matches(text);
        found
            .iter()
            .map(|index| self.each[index].find_iter(text).count())
            .sum()
    }

    /// The text with what is found replaced: what redaction is compared with.
    #[must_use]
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut masked = Cow::Borrowed(text);
        for index in &self.set.matches(text) {
            let replaced = self.each[index].replace_all(&masked, PATTERNS[index].0);
            masked = Cow::Owned(replaced.into_owned());
        }
        masked
    }
}

impl Default for Patterns {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pattern_finds_what_it_is_for() {
        let patterns = Patterns::new();
        for (text, masked) in [
            ("to jane.doe@mail.example.com.", "to [email]."),
            ("at +49 170 1234567", "at [phone]"),
            ("at (415) 555-2671", "at [phone]"),
            ("at 415-555-2671", "at [phone]"),
            ("card 4111 1111 1111 1111", "card [payment_card]"),
            ("id 529.982.247-25", "id [national_id]"),
            ("id 11.222.333/0001-81", "id [national_id]"),
            ("id 536-90-4399", "id [national_id]"),
            ("to GB82 WEST 1234 5698 7654 32", "to [bank_account]"),
            ("with ghp_0123456789abcdef", "with [api_key]"),
            (
                "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0xMg.c2lnbmF0dXJl",
                "[api_key]",
            ),
            ("-----BEGIN PRIVATE KEY-----", "[api_key]"),
        ] {
            assert_eq!(patterns.mask(text), masked);
            assert_eq!(patterns.count(text), 1, "{text}");
        }
        assert!(matches!(patterns.mask("nothing"), Cow::Borrowed(_)));
    }
}

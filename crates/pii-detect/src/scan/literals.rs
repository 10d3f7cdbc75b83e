//! Where the literals can stand that begin or announce secrets, found in one pass over a text.

use std::{fmt, iter};

use crate::rules::secret::{self, Rules};

/// The literals of the rules, and prefixes of one's own, none of them empty.
#[derive(Clone)]
pub(crate) struct Literals {
    own: Vec<Box<str>>,
    /// For each of the first bytes, the rules of whose literals one has it there.
    first_bytes: Box<[[Rules; 256]; FIRST]>,
}

/// How many bytes of a text tell which rules are asked. What is shorter is no secret.
const FIRST: usize = 3;

impl Literals {
    pub(crate) fn with(own: Vec<Box<str>>) -> Self {
        let mut first_bytes = Box::new([[0; 256]; FIRST]);
        let of_own = own.iter().map(|prefix| (&**prefix, secret::OWN));
        for (literal, rule) in of_own.chain(secret::literals()) {
            for (place, table) in first_bytes.iter_mut().enumerate() {
                match literal.as_bytes().get(place) {
                    Some(byte) => table[usize::from(*byte)] |= rule,
                    None => table.iter_mut().for_each(|rules| *rules |= rule),
                }
            }
        }
        Self { own, first_bytes }
    }

    pub(crate) fn own(&self) -> &[Box<str>] {
        &self.own
    }

    /// Whether one can start anywhere in a text.
    pub(crate) fn may_start_in(&self, text: &str) -> bool {
        let mut windows = text.as_bytes().windows(FIRST);
        windows.any(|bytes| self.rules(bytes) != 0)
    }

    /// Where literals can start at or behind `from`, from left to right, and the rules they are of.
    ///
    /// Three look-ups that do not wait for each other are faster than an automaton, whose each step
    /// waits for the last, and they leave so few rules that those may as well look for themselves.
    pub(crate) fn places<'a>(
        &'a self,
        text: &'a str,
        from: usize,
    ) -> impl Iterator<Item = (usize, Rules)> {
        let mut from = from;
        iter::from_fn(move || {
            let mut rest = text.as_bytes().get(from..)?.windows(FIRST);
            let found = rest.position(|bytes| self.rules(bytes) != 0)?;
            let place = from + found;
            from = place + 1;
            Some((place, self.rules(&text.as_bytes()[place..])))
        })
    }

    #[inline]
    fn rules(&self, bytes: &[u8]) -> Rules {
        let [first, second, third] = &*self.first_bytes;
        let at = |table: &[Rules; 256], byte: u8| table[usize::from(byte)];
        at(first, bytes[0]) & at(second, bytes[1]) & at(third, bytes[2])
    }
}

impl fmt::Debug for Literals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.own.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_rules_of_every_literal_are_asked_and_few_others(
            own in proptest::collection::vec("[a-cä]{1,5}", 0..12),
            text in "([a-cä ]|pcl_|ghp_|eyJ|-----BEGIN ){0,30}",
        ) {
            let own: Vec<Box<str>> = own.into_iter().map(Box::from).collect();
            let literals = Literals::with(own.clone());
            let of_own = own.iter().map(|prefix| (&**prefix, secret::OWN));
            let all: Vec<_> = of_own.chain(secret::literals()).collect();
            // The rules of the literals with which the rest begins, as far as `bytes` show.
            let rules_at = |at: usize, bytes: usize| {
                let rest = &text.as_bytes()[at..];
                let begins = |literal: &[u8]| {
                    rest.len() >= FIRST && rest.starts_with(&literal[..literal.len().min(bytes)])
                };
                let beginning = all.iter().filter(|(literal, _)| begins(literal.as_bytes()));
                beginning.fold(0, |rules, (_, rule)| rules | rule)
            };
            let places: std::collections::BTreeMap<_, _> = literals.places(&text, 0).collect();
            for at in 0..text.len() {
                let asked = places.get(&at).copied().unwrap_or_default();
                let expected = rules_at(at, usize::MAX);
                prop_assert_eq!(asked & expected, expected);
                // Each of the bytes is one that stands there in a literal of the rule.
                prop_assert_eq!(asked & !rules_at(at, 1), 0);
            }
        }
    }
}

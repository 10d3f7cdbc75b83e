//! The literals that begin or announce secrets, found in one pass over a text.

use std::{fmt, iter};

use aho_corasick::{AhoCorasick, Anchored, Input, StartKind};

use crate::rules::secret;

/// The literals of the rules, and prefixes of one's own, none of them empty.
#[derive(Clone)]
pub(crate) struct Literals {
    own: Vec<Box<str>>,
    first_bytes: Box<[[u8; 256]; FIRST]>,
    automaton: AhoCorasick,
}

/// How many bytes of a text tell that no literal starts with them. What is shorter is no secret.
const FIRST: usize = 3;

impl Literals {
    pub(crate) fn with(own: Vec<Box<str>>) -> Self {
        let known = secret::literals().map(Box::from);
        let mut all: Vec<Box<str>> = own.iter().cloned().chain(known).collect();
        all.sort_unstable();
        let automaton = AhoCorasick::builder()
            .start_kind(StartKind::Anchored)
            .build(all.iter().map(|literal| literal.as_bytes()))
            .expect("the literals have fewer than 2^31 bytes");
        Self {
            own,
            first_bytes: first_bytes(&all),
            automaton,
        }
    }

    pub(crate) fn own(&self) -> &[Box<str>] {
        &self.own
    }

    /// Where literals start at or behind `from`, from left to right.
    ///
    /// Three look-ups that do not wait for each other are faster than an automaton, whose each step
    /// waits for the last; it is asked where they do not rule a literal out.
    pub(crate) fn places<'a>(&'a self, text: &'a str, from: usize) -> impl Iterator<Item = usize> {
        let [first, second, third] = &*self.first_bytes;
        let at = |table: &[u8; 256], byte: u8| table[usize::from(byte)];
        let mut from = from;
        iter::from_fn(move || {
            let mut rest = text.as_bytes().get(from..)?.windows(FIRST);
            let found = rest.position(|bytes| {
                at(first, bytes[0]) & at(second, bytes[1]) & at(third, bytes[2]) != 0
            })?;
            let place = from + found;
            from = place + 1;
            Some(place)
        })
        .filter(|place| {
            let input = Input::new(text).range(*place..).anchored(Anchored::Yes);
            self.automaton.is_match(input)
        })
    }
}

/// For each of the first bytes, in which eighths of the sorted literals it stands there.
fn first_bytes(sorted: &[Box<str>]) -> Box<[[u8; 256]; FIRST]> {
    let mut tables = Box::new([[0; 256]; FIRST]);
    for (index, literal) in sorted.iter().enumerate() {
        let eighth = 1_u8 << (index * 8 / sorted.len());
        for (place, table) in tables.iter_mut().enumerate() {
            match literal.as_bytes().get(place) {
                Some(byte) => table[usize::from(*byte)] |= eighth,
                None => table.iter_mut().for_each(|eighths| *eighths |= eighth),
            }
        }
    }
    tables
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
        fn every_literal_is_found_and_nothing_else(
            own in proptest::collection::vec("[a-cä]{1,5}", 0..12),
            text in "([a-cä ]|pcl_|ghp_|eyJ|-----BEGIN ){0,30}",
        ) {
            let own: Vec<Box<str>> = own.into_iter().map(Box::from).collect();
            let literals = Literals::with(own.clone());
            let mut all = own;
            all.extend(secret::literals().map(Box::from));
            let starts = |at: &usize| {
                let rest = &text.as_bytes()[*at..];
                rest.len() >= FIRST && all.iter().any(|literal| rest.starts_with(literal.as_bytes()))
            };
            let expected: Vec<_> = (0..text.len()).filter(starts).collect();
            prop_assert_eq!(literals.places(&text, 0).collect::<Vec<_>>(), expected);
        }
    }
}

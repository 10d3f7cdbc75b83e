//! The literals that begin or announce secrets, found in one pass over a text.

use std::{fmt, iter};

use aho_corasick::{AhoCorasick, Input, MatchKind};

use crate::rules::secret;

/// The literals of the rules, and prefixes of one's own, none of them empty.
#[derive(Clone)]
pub(crate) struct Literals {
    own: Vec<Box<str>>,
    automaton: AhoCorasick,
}

impl Literals {
    pub(crate) fn with(own: Vec<Box<str>>) -> Self {
        let known = secret::literals().map(Box::from);
        let all: Vec<Box<str>> = own.iter().cloned().chain(known).collect();
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .build(all.iter().map(|literal| literal.as_bytes()))
            .expect("the literals have fewer than 2^31 bytes");
        Self { own, automaton }
    }

    pub(crate) fn own(&self) -> &[Box<str>] {
        &self.own
    }

    /// Where literals start at or behind `from`, from left to right, each byte once.
    pub(crate) fn places<'a>(&'a self, text: &'a str, from: usize) -> impl Iterator<Item = usize> {
        let mut from = from;
        iter::from_fn(move || {
            let found = self.automaton.find(Input::new(text).range(from..))?;
            from = found.start() + 1;
            Some(found.start())
        })
    }
}

impl fmt::Debug for Literals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.own.fmt(f)
    }
}

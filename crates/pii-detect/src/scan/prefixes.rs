//! The prefixes by which secrets are known, found in one pass over a text.

use std::{fmt, iter};

use aho_corasick::{AhoCorasick, Input, MatchKind};

/// Some prefixes, none of them empty.
#[derive(Clone)]
pub(crate) struct Prefixes {
    list: Vec<Box<str>>,
    automaton: AhoCorasick,
}

impl Prefixes {
    pub(crate) fn new(list: Vec<Box<str>>) -> Self {
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostFirst)
            .build(list.iter().map(|prefix| prefix.as_bytes()))
            .expect("the prefixes have fewer than 2^31 bytes");
        Self { list, automaton }
    }

    pub(crate) fn as_slice(&self) -> &[Box<str>] {
        &self.list
    }

    /// Where prefixes start at or behind `from`, from left to right, each place once.
    pub(crate) fn starts<'a>(&'a self, text: &'a [u8], from: usize) -> impl Iterator<Item = usize> {
        let mut from = from;
        iter::from_fn(move || {
            let found = self.automaton.find(Input::new(text).range(from..))?;
            from = found.start() + 1;
            Some(found.start())
        })
    }
}

impl fmt::Debug for Prefixes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.list.fmt(f)
    }
}

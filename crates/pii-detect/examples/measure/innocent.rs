//! What is nobody's: ids, numbers, times and code as they stand in events and logs.

mod code;
mod ids;
mod numbers;
mod products;
mod times;

use std::collections::HashSet;

use crate::{
    corpus::{Corpus, Text},
    random::Random,
};

/// How many texts each corpus has, as long as there are as many.
const TEXTS: usize = 10_000;

/// How a value stands in its text.
#[derive(Clone, Copy, Debug)]
enum In {
    /// Alone, in a sentence, in a JSON object and in a field of this name.
    Field(&'static str),
    /// It is a text of its own.
    Itself,
}

#[derive(Clone, Copy, Debug)]
struct Innocent {
    corpus: &'static str,
    stands: In,
    /// No target: by chance some of these are what they are taken for.
    chance: bool,
    make: fn(&mut Random) -> String,
}

const fn field(
    corpus: &'static str,
    name: &'static str,
    make: fn(&mut Random) -> String,
) -> Innocent {
    Innocent {
        corpus,
        stands: In::Field(name),
        chance: false,
        make,
    }
}

const fn itself(corpus: &'static str, make: fn(&mut Random) -> String) -> Innocent {
    Innocent {
        corpus,
        stands: In::Itself,
        chance: false,
        make,
    }
}

const fn chance(
    corpus: &'static str,
    name: &'static str,
    make: fn(&mut Random) -> String,
) -> Innocent {
    Innocent {
        corpus,
        stands: In::Field(name),
        chance: true,
        make,
    }
}

const ALL: [&[Innocent]; 5] = [products::ALL, ids::ALL, times::ALL, numbers::ALL, code::ALL];

pub(crate) fn corpora() -> Vec<Corpus> {
    ALL.concat().into_iter().map(made).collect()
}

fn made(innocent: Innocent) -> Corpus {
    let mut random = Random::of(innocent.corpus);
    let mut seen = HashSet::new();
    let values = (0..TEXTS).map(|_| (innocent.make)(&mut random));
    let texts = values
        .filter(|value| seen.insert(value.clone()))
        .enumerate()
        .map(|(index, value)| match innocent.stands {
            In::Itself => Text::innocent("", value),
            In::Field(name) => in_field(name, index, value),
        })
        .collect();
    if innocent.chance {
        Corpus::chance(innocent.corpus, texts)
    } else {
        Corpus::innocent(innocent.corpus, texts)
    }
}

fn in_field(name: &str, index: usize, value: String) -> Text {
    match index % 5 {
        0 => Text::innocent("", value),
        1 => Text::innocent(name, value),
        2 => Text::innocent("", format!("{name} {value} was updated, see {value}.")),
        3 => Text::innocent("", format!(r#"{{"{name}":"{value}","ok":true}}"#)),
        _ => Text::innocent("message", format!("{name}={value}, retried")),
    }
}

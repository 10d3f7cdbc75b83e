//! What is somebody's: every kind, plain and in every encoded form.

mod forms;
mod plain;
mod scripts;
mod values;

use crate::{
    corpus::{Column, Corpus, Text},
    packages::{self, Phone},
    random::Random,
};

/// A value as people write it, and the name of a field that holds one.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) column: Column,
    pub(crate) name: &'static str,
    pub(crate) text: String,
}

/// How many values of each column a form is shown.
const EACH: usize = 800;
const PLAIN: Option<f64> = Some(99.5);

pub(crate) fn corpora(phones: &[Phone]) -> Vec<Corpus> {
    let values = values::all(phones, EACH);
    let mut corpora = plain::corpora(&values);
    corpora.extend(written(phones));
    corpora.push(Corpus::guilty(
        "made up by Faker",
        PLAIN,
        packages::identified(),
    ));
    corpora.extend(forms::corpora(&values));
    corpora
}

/// The examples of every region in every spelling.
fn written(phones: &[Phone]) -> Vec<Corpus> {
    let mut random = Random::of("phones");
    let alone = |before: &'static str, spelling: fn(&Phone) -> &str| {
        phones
            .iter()
            .map(|phone| Text::guilty(Column::Phone, "", before, spelling(phone), ""))
            .collect::<Vec<_>>()
    };
    let named = phones
        .iter()
        .map(|phone| {
            let name = random.pick(&values::PHONE_NAMES);
            Text::guilty(Column::Phone, name, "", &phone.national, "")
        })
        .collect();
    let mut random = Random::of("phones after a word");
    let after_a_word = phones
        .iter()
        .map(|phone| {
            let word = random.pick(&[
                "call ",
                "Tel.: ",
                "phone ",
                "WhatsApp: ",
                "telefone ",
                "fax ",
            ]);
            Text::guilty(Column::Phone, "", word, &phone.national, ".")
        })
        .collect();
    vec![
        Corpus::guilty("E.164, every region", PLAIN, alone("", |phone| &phone.e164)),
        Corpus::guilty(
            "international, every region",
            PLAIN,
            alone("", |phone| &phone.international),
        ),
        Corpus::guilty(
            "RFC 3966, every region",
            PLAIN,
            alone("tel:", |phone| phone.rfc3966.trim_start_matches("tel:")),
        ),
        Corpus::guilty("national, in a field of that name", None, named),
        Corpus::guilty("national, after a word", None, after_a_word),
        Corpus::guilty("national, alone", None, alone("", |phone| &phone.national)),
    ]
}

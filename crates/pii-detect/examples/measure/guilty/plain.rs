//! As a value stands in an event, a sentence, an address of a page and a log.

use super::{PLAIN, Value};
use crate::{
    corpus::{Corpus, Text},
    guilty::forms::percent,
};

type Wrap = fn(usize, &Value) -> Text;

const PLACES: [(&str, Wrap); 6] = [
    ("alone", |_, value| {
        Text::guilty(value.column, "", "", &value.text, "")
    }),
    ("in a field of that name", |_, value| {
        Text::guilty(value.column, value.name, "", &value.text, "")
    }),
    ("in prose", |index, value| {
        let (before, after) = [
            ("please write to ", " before Friday."),
            ("It is ", ", as I said."),
            ("Reached (", ") twice"),
            ("Kunde: ", "; danke!"),
            ("contato “", "” do cliente"),
            ("new line\n", "\nand another"),
        ][index % 6];
        Text::guilty(value.column, "", before, &value.text, after)
    }),
    ("in JSON", |index, value| {
        let (before, after) = [
            ("{\"note\":\"", "\",\"ok\":true}"),
            ("[\"", "\"]"),
            ("{\"a\": {\"b\": [\"", "\", 1]}}"),
        ][index % 3];
        Text::guilty(value.column, "", before, &value.text, after)
    }),
    ("in a URL", |index, value| {
        let (before, after) = [
            ("https://shop.example/account?q=", "&page=2"),
            ("/search?user=", ""),
            ("https://shop.example/u/", "/edit"),
        ][index % 3];
        Text::guilty(
            value.column,
            "",
            before,
            &percent::component(&value.text),
            after,
        )
    }),
    ("in a log line", |index, value| {
        let (before, after) = [
            (
                "2026-03-01T12:00:00.123Z INFO signup user=",
                " status=200 took=12ms",
            ),
            ("level=warn msg=\"bounced: ", "\" id=17"),
            ("[12:00:00] 10.0.0.7 denied '", "' after 3 tries"),
        ][index % 3];
        Text::guilty(value.column, "", before, &value.text, after)
    }),
];

pub(super) fn corpora(values: &[Value]) -> Vec<Corpus> {
    PLACES
        .into_iter()
        .map(|(name, wrap)| {
            let texts = values.iter().enumerate();
            let texts = texts.map(|(index, value)| wrap(index, value)).collect();
            Corpus::guilty(name, PLAIN, texts)
        })
        .collect()
}

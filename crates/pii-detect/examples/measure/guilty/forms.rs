//! The forms in which a value gets past who looks for its plain text.

mod entity;
pub(super) mod percent;
mod unseen;

use super::Value;
use crate::{
    corpus::{Column, Corpus, Text},
    random::Random,
};

const TARGET: Option<f64> = Some(99.0);

/// Writes a value in this form; `None` when it has nothing that could be.
type Encode = fn(&mut Random, &Value) -> Option<String>;

/// What stands around it.
type Places = [(&'static str, &'static str); 3];

const PLACES: Places = [("", ""), ("sent to ", " today"), ("{\"note\":\"", "\"}")];
const IN_URL: Places = [
    ("", ""),
    ("https://shop.example/?q=", "&page=2"),
    ("/login?next=", ""),
];
/// A quoted text within a quoted text would need escapes.
const BESIDE_QUOTES: Places = [("", ""), ("sent to ", " today"), ("From: <", ">")];
const IN_HTML: Places = [("", ""), ("<td>", "</td>"), ("<p>mine is ", ".</p>")];

const FORMS: [(&str, Places, Encode); 17] = [
    ("percent", IN_URL, |random, value| {
        percent::reserved(random, &value.text)
    }),
    ("percent, every character", IN_URL, |_, value| {
        Some(percent::every(&value.text))
    }),
    ("double percent", IN_URL, |random, value| {
        percent::reserved(random, &value.text).map(|once| once.replace('%', "%25"))
    }),
    ("entities, decimal", IN_HTML, entity::decimal),
    ("entities, hexadecimal", IN_HTML, entity::hexadecimal),
    ("entities, named", IN_HTML, entity::named),
    ("entities in percent", IN_URL, |random, value| {
        let entity = entity::decimal(random, value)?;
        Some(percent::component(&entity))
    }),
    ("full-width", PLACES, |_, value| {
        Some(full_width(&value.text))
    }),
    ("digits of every script", PLACES, super::scripts::digits),
    ("zero-width characters", PLACES, unseen::zero_width),
    ("soft hyphen", PLACES, unseen::soft_hyphen),
    ("no-break spaces", PLACES, unseen::no_break_space),
    ("dashes", PLACES, unseen::dash),
    ("quoted local part", BESIDE_QUOTES, |random, value| {
        let (local, domain) = address(value)?;
        let inside = [" ", ".", "..", " (x) ", "@", ","];
        let other = random.pick(&["doe", "q7", "smith"]);
        Some(format!(
            "\"{local}{}{other}\"@{domain}",
            random.pick(&inside)
        ))
    }),
    ("domain is an IP address", PLACES, |random, value| {
        let (local, _) = address(value)?;
        let (a, b) = (random.within(1, 254), random.within(1, 254));
        Some(if random.once_in(2) {
            format!("{local}@[IPv6:2001:db8::{a:x}:{b:x}]")
        } else {
            format!("{local}@[192.0.{a}.{b}]")
        })
    }),
    ("every form at once", IN_URL, |random, value| {
        let value = Value {
            text: full_width(&value.text),
            ..value.clone()
        };
        unseen::zero_width(random, &value).map(|text| percent::every(&text))
    }),
    ("JSON number", [("", ""); 3], json_number),
];

pub(super) fn corpora(values: &[Value]) -> Vec<Corpus> {
    FORMS
        .into_iter()
        .map(|(name, places, encode)| {
            let mut random = Random::of(name);
            let mut texts = Vec::with_capacity(values.len());
            for value in values {
                if let Some(text) = encode(&mut random, value) {
                    // A number says less than a text: these two are told by the name of the field.
                    let by_name = name == "JSON number"
                        && (matches!(value.column, Column::Phone | Column::Ssn)
                            || random.once_in(2));
                    let field = if by_name { value.name } else { "" };
                    let (before, after) = random.pick(&places);
                    texts.push(Text::guilty(value.column, field, before, &text, after));
                }
            }
            Corpus::guilty(name, TARGET, texts)
        })
        .collect()
}

/// The forms of halves and full widths (U+FF01 to U+FF5E).
fn full_width(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            ' ' => '\u{3000}',
            '!'..='~' => char::from_u32(u32::from(c) + 0xfee0).expect("U+FF01 to U+FF5E"),
            _ => c,
        })
        .collect()
}

fn address(value: &Value) -> Option<(&str, &str)> {
    (value.column == Column::Email).then(|| value.text.split_once('@'))?
}

fn json_number(_: &mut Random, value: &Value) -> Option<String> {
    let numeric = !matches!(value.column, Column::Email | Column::Iban | Column::ApiKey);
    let digits: String = value.text.chars().filter(char::is_ascii_digit).collect();
    // No number begins with a zero.
    (numeric && !digits.starts_with('0')).then_some(digits)
}

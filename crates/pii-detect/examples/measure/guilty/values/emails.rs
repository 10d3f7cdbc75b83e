//! Addresses as people have them.

use crate::random::Random;

const FIRST: [&str; 14] = [
    "ada", "bob", "chloé", "dmitri", "eva", "joão", "jürgen", "li.wei", "maria", "ngozi",
    "o'brien", "Sam", "花子", "иван",
];
const LAST: [&str; 10] = [
    "almeida",
    "chen",
    "garcía",
    "haddad",
    "ivanova",
    "kowalski",
    "Müller",
    "nakamura",
    "smith",
    "солнце",
];
const DOMAINS: [&str; 16] = [
    "example.com",
    "example.org",
    "mail.example.net",
    "acme.co.uk",
    "empresa.com.br",
    "firma.de",
    "mx1.eu-west.example.com",
    "xn--bcher-kva.example",
    "bücher.example",
    "例え.jp",
    "пример.рф",
    "uni-köln.de",
    "a.io",
    "shop.museum",
    "gov.in",
    "EXAMPLE.COM",
];

pub(super) fn make(random: &mut Random) -> String {
    let (first, last) = (random.pick(&FIRST), random.pick(&LAST));
    let (number, domain) = (random.within(1, 1999), random.pick(&DOMAINS));
    let local = match random.index(8) {
        0 => format!("{first}{number}"),
        1 => format!("{first}_{last}"),
        2 => format!("{first}-{last}"),
        3 => format!("{first}.{last}+{number}"),
        4 => format!("{last}.{number}"),
        5 => random
            .pick(&["info", "sales", "support", "contato", "billing"])
            .to_owned(),
        6 => first.to_owned(),
        _ => format!("{first}.{last}"),
    };
    format!("{local}@{domain}")
}

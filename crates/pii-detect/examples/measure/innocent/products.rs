//! What is sold: EAN, UPC, ISBN.

use super::{Innocent, chance, field};
use crate::{
    check_digits::{with_gs1, with_isbn10},
    random::Random,
};

pub(super) const ALL: &[Innocent] = &[
    field("EAN-8", "ean", |random| with_gs1(&random.digits(7))),
    field("EAN-13", "ean", |random| with_gs1(&random.digits(12))),
    // One in ten of these has a valid Luhn digit and begins as a card does.
    field("EAN-13 from 400 to 440", "ean", |random| {
        let country = random.within(400, 440);
        with_gs1(&format!("{country}{}", random.digits(9)))
    }),
    field("EAN-13 of Brazil", "gtin", |random| {
        with_gs1(&format!("789{}", random.digits(9)))
    }),
    field("UPC-A", "upc", |random| with_gs1(&random.digits(11))),
    field("ISBN-10", "isbn", |random| with_isbn10(&random.digits(9))),
    field("ISBN-10 with hyphens", "isbn", |random| {
        let isbn = with_isbn10(&random.digits(9));
        hyphenated(random, &isbn)
    }),
    field("ISBN-13", "isbn", isbn13),
    field("ISBN-13 with hyphens", "isbn", |random| {
        let isbn = isbn13(random);
        format!("{}-{}", &isbn[..3], hyphenated(random, &isbn[3..]))
    }),
    chance("GTIN-14", "gtin", |random| {
        let level = random.within(1, 8);
        with_gs1(&format!("{level}{}", random.digits(12)))
    }),
];

fn isbn13(random: &mut Random) -> String {
    let prefix = random.pick(&["978", "979"]);
    with_gs1(&format!("{prefix}{}", random.digits(9)))
}

/// Group, publisher, title and check digit, of lengths that are given out.
fn hyphenated(random: &mut Random, isbn: &str) -> String {
    let group = random.pick(&[1, 1, 1, 2, 2, 3, 5]);
    let publisher = group + random.pick(&[2, 3]).min(8 - group);
    format!(
        "{}-{}-{}-{}",
        &isbn[..group],
        &isbn[group..publisher],
        &isbn[publisher..9],
        &isbn[9..]
    )
}

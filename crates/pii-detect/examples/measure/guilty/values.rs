//! Values of every kind, made up with valid check digits.

mod emails;
mod secrets;

use super::Value;
use crate::{
    check_digits::{iban, with_cnpj, with_cpf, with_luhn},
    corpus::Column,
    packages::Phone,
    random::Random,
};

pub(super) const PHONE_NAMES: [&str; 8] = [
    "phone",
    "mobile",
    "tel",
    "phone_number",
    "telefone",
    "celular",
    "whatsapp",
    "fax",
];

/// Prefix and length of what the brands issue.
const CARDS: [(&str, usize); 9] = [
    ("4", 16),
    ("51", 16),
    ("55", 16),
    ("2221", 16),
    ("34", 15),
    ("37", 15),
    ("6011", 16),
    ("3530", 16),
    ("36", 14),
];

/// Countries with what stands before the digits of an account, and how many these are.
const ACCOUNTS: [(&str, &str, usize); 14] = [
    ("AT", "", 16),
    ("BE", "", 12),
    ("CH", "", 17),
    ("DE", "", 18),
    ("DK", "", 14),
    ("ES", "", 20),
    ("FI", "", 14),
    ("FR", "", 23),
    ("GB", "NWBK", 14),
    ("IT", "X", 22),
    ("NL", "ABNA", 10),
    ("NO", "", 11),
    ("PL", "", 24),
    ("PT", "", 21),
];

/// The name of a field, and what it holds.
type Make = fn(&mut Random) -> (&'static str, String);

/// So many of each column; telephone numbers are the examples, as often as there are any.
pub(super) fn all(phones: &[Phone], each: usize) -> Vec<Value> {
    let made: [(Column, Make); 7] = [
        (Column::Email, |random| {
            (
                random.pick(&["email", "contact", "e-mail"]),
                emails::make(random),
            )
        }),
        (Column::Card, |random| {
            (random.pick(&["card", "pan", "card_number"]), card(random))
        }),
        (Column::Cpf, |random| {
            (random.pick(&["cpf", "tax_id"]), cpf(random))
        }),
        (Column::Cnpj, |random| {
            (random.pick(&["cnpj", "tax_id"]), cnpj(random))
        }),
        (Column::Ssn, |random| {
            (random.pick(&["ssn", "social_security_number"]), ssn(random))
        }),
        (Column::Iban, |random| {
            (random.pick(&["iban", "account"]), account(random))
        }),
        (Column::ApiKey, |random| {
            (
                random.pick(&["key", "token", "secret"]),
                secrets::make(random),
            )
        }),
    ];
    let mut values = Vec::new();
    for (column, make) in made {
        let mut random = Random::of(column.heading());
        values.extend((0..each).map(|_| {
            let (name, text) = make(&mut random);
            Value { column, name, text }
        }));
    }
    let mut random = Random::of("phone");
    values.extend(phones.iter().map(|phone| Value {
        column: Column::Phone,
        name: random.pick(&PHONE_NAMES),
        text: if random.once_in(3) {
            phone.e164.clone()
        } else {
            phone.international.clone()
        },
    }));
    values
}

fn card(random: &mut Random) -> String {
    let (prefix, length) = random.pick(&CARDS);
    let number = with_luhn(&format!(
        "{prefix}{}",
        random.digits(length - prefix.len() - 1)
    ));
    let groups: &[usize] = if length == 16 {
        &[4, 4, 4, 4]
    } else {
        &[4, 6, 5]
    };
    match random.index(3) {
        0 => number,
        1 => grouped(&number, groups, " "),
        _ => grouped(&number, groups, "-"),
    }
}

/// In groups of these lengths, the last one shorter if need be.
fn grouped(text: &str, lengths: &[usize], separator: &str) -> String {
    let mut rest = text;
    let mut groups = Vec::new();
    for length in lengths {
        let (group, after) = rest.split_at(rest.len().min(*length));
        groups.push(group);
        rest = after;
    }
    groups.join(separator)
}

fn cpf(random: &mut Random) -> String {
    let cpf = with_cpf(&random.number(9));
    if random.once_in(2) {
        return cpf;
    }
    format!("{}.{}.{}-{}", &cpf[..3], &cpf[3..6], &cpf[6..9], &cpf[9..])
}

fn cnpj(random: &mut Random) -> String {
    let branch = random.pick(&["0001", "0001", "0001", "0002", "0037"]);
    let cnpj = with_cnpj(&format!("{}{branch}", random.number(8)));
    if random.once_in(2) {
        return cnpj;
    }
    let (a, b, c) = (&cnpj[..2], &cnpj[2..5], &cnpj[5..8]);
    format!("{a}.{b}.{c}/{}-{}", &cnpj[8..12], &cnpj[12..])
}

/// Area, group and serial number as they are given out; areas from 900 on and 666 are not.
fn ssn(random: &mut Random) -> String {
    let area = match random.within(1, 899) {
        666 => 667,
        area => area,
    };
    format!(
        "{area:03}-{:02}-{:04}",
        random.within(1, 99),
        random.within(1, 9999)
    )
}

fn account(random: &mut Random) -> String {
    let (country, bank, digits) = random.pick(&ACCOUNTS);
    let iban = iban(country, &format!("{bank}{}", random.digits(digits)));
    if random.once_in(2) {
        return iban;
    }
    grouped(&iban, &[4; 9], " ").trim_end().to_owned()
}

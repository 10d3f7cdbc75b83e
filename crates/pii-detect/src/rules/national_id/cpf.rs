//! CPF: the Brazilian register of natural persons, nine digits and two check digits.

use super::{Evidence, Form, NationalId, cnpj::check_digit};
use crate::{finding::Confidence, rules::surroundings::Meaning};

pub(super) const CPF: NationalId = NationalId {
    rule: "cpf",
    meaning: Meaning::Cpf,
    forms: &[
        Form {
            template: "ddd.ddd.ddd-dd",
            evidence: Evidence::Certain,
        },
        Form {
            template: "ddddddddd-dd",
            evidence: Evidence::Likely,
        },
        Form {
            template: "ddddddddddd",
            evidence: Evidence::Depends(bare),
        },
        Form {
            template: "ddd.ddd.ddd.dd",
            evidence: Evidence::Depends(no_address),
        },
        Form {
            template: "ddd.ddd.ddd!dd",
            evidence: Evidence::Likely,
        },
        Form {
            template: "ddd-ddd-ddd!dd",
            evidence: Evidence::Depends(no_address),
        },
        Form {
            template: "ddd ddd ddd!dd",
            evidence: Evidence::Likely,
        },
        Form {
            template: "ddddddddd!dd",
            evidence: Evidence::Likely,
        },
        // `141.48385811` is half of a coordinate.
        Form {
            template: "ddd?ddd?ddd-dd",
            evidence: Evidence::Likely,
        },
    ],
    has_check_digits: true,
    is_valid,
};

/// Of eleven digits by chance, one in a hundred is valid. Counters that are filled up with zeros are
/// left alone.
fn bare(number: &[u8]) -> Confidence {
    const PADDING: &[u8] = b"0000";
    if number.starts_with(PADDING) {
        Confidence::Low
    } else {
        Confidence::Medium
    }
}

/// `192.168.100.25` and `ip-192-168-100-25` are an address of the network.
fn no_address(number: &[u8]) -> Confidence {
    if number[..9].chunks(3).all(|part| part <= b"255") {
        Confidence::Low
    } else {
        Confidence::Medium
    }
}

fn is_valid(number: &[u8]) -> bool {
    let first = check_digit(&number[..9], 10);
    let second = check_digit(&number[..10], 11);
    let repeated = number.iter().all(|digit| *digit == number[0]);
    !repeated && number[9..] == [first, second]
}

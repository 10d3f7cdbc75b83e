//! CNPJ: the Brazilian register of companies, eight characters of the company, four of its branch, and
//! two check digits. New ones have letters in the first twelve places from July 2026 on.

use super::{Evidence, Form, NationalId};
use crate::{finding::Confidence, rules::surroundings::Meaning};

pub(super) const CNPJ: NationalId = NationalId {
    rule: "cnpj",
    meaning: Meaning::Cnpj,
    forms: &[
        Form {
            template: "aa.aaa.aaa/aaaa-dd",
            evidence: Evidence::Certain,
        },
        Form {
            template: "aaaaaaaa/aaaa-dd",
            evidence: Evidence::Certain,
        },
        Form {
            template: "aaaaaaaaaaaadd",
            evidence: Evidence::Depends(bare),
        },
        Form {
            template: "aa.aaa.aaa!aaaa!dd",
            evidence: Evidence::Likely,
        },
        Form {
            template: "aaaaaaaa/aaaa!dd",
            evidence: Evidence::Likely,
        },
        Form {
            template: "dddddddd!dddd-dd",
            evidence: Evidence::Depends(bare),
        },
        Form {
            template: "dd ddd ddd dddd dd",
            evidence: Evidence::Depends(bare),
        },
    ],
    has_check_digits: true,
    is_valid,
};

const LENGTH: usize = 14;

/// Of fourteen digits by chance, one in a hundred is valid; of those of companies, nearly all are of
/// their first branches. Fourteen letters and digits may be anything, unless they are of a head office.
fn bare(number: &[u8]) -> Confidence {
    const PADDING: &[u8] = b"0000";
    let (company, branch) = (&number[..8], &number[8..12]);
    let in_digits = company.iter().all(u8::is_ascii_digit);
    let first = branch == b"0001";
    let one_of_the_first =
        branch.starts_with(b"00") && branch.iter().all(u8::is_ascii_digit) && branch != b"0000";
    let is_padded = company.starts_with(PADDING);
    if !is_padded && (first || in_digits && one_of_the_first && !is_date(company)) {
        Confidence::Medium
    } else {
        Confidence::Low
    }
}

/// `20240501001205`: five seconds past twelve minutes past midnight.
fn is_date(digits: &[u8]) -> bool {
    let (century, month, day) = (&digits[..2], &digits[4..6], &digits[6..]);
    matches!(century, b"19" | b"20")
        && (&b"01"[..]..=b"12").contains(&month)
        && (&b"01"[..]..=b"31").contains(&day)
}

/// Letters count by their distance from the digit zero in ASCII.
fn is_valid(number: &[u8]) -> bool {
    let first = check_digit(&number[..12], 9);
    let second = check_digit(&number[..13], 9);
    let repeated = number.iter().all(|digit| *digit == number[0]);
    !repeated && number[12..] == [first, second]
}

/// The check digit behind `number`: from the right, weights rise from two to `highest` and start over.
pub(super) fn check_digit(number: &[u8], highest: u32) -> u8 {
    let weights = (2..=highest).cycle();
    let sum: u32 = number
        .iter()
        .rev()
        .zip(weights)
        .map(|(byte, weight)| u32::from(byte - b'0') * weight)
        .sum();
    let digit = match sum % 11 {
        0 | 1 => 0,
        remainder => 11 - remainder,
    };
    char::from_digit(digit, 10).map_or(b'?', |digit| digit as u8)
}

/// Where a CNPJ begins whose first digit stands at `at` behind letters, or whose check digits do.
pub(super) fn start_around(bytes: &[u8], at: usize) -> Option<usize> {
    const SEPARATED: usize = "aa.aaa.aaa/aaaa-".len();
    const HALF_SEPARATED: usize = "aaaaaaaa/aaaa-".len();
    let is_part = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    let before = &bytes[..at];
    let start = if before.last() == Some(&b'-') {
        let slash = at.checked_sub("/aaaa-".len())?;
        let dot = slash.checked_sub(4)?;
        if bytes[slash] != b'/' {
            return None;
        }
        let length = if bytes[dot] == b'.' {
            SEPARATED
        } else {
            HALF_SEPARATED
        };
        at.checked_sub(length)?
    } else {
        let letters = before
            .iter()
            .rev()
            .take(LENGTH)
            .take_while(|b| b.is_ascii_uppercase())
            .count();
        if letters == 0 {
            return None;
        }
        at - letters
    };
    is_part(&bytes[start]).then_some(start)
}

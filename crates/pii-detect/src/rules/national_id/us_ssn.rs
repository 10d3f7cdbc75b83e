//! The social security number of the United States: area, group, serial.

use super::{Evidence, Form, NationalId};
use crate::rules::surroundings::Meaning;

pub(super) const US_SSN: NationalId = NationalId {
    rule: "us_ssn",
    meaning: Meaning::UsSsn,
    forms: &[
        Form {
            template: "ddd-dd-dddd",
            evidence: Evidence::Likely,
        },
        Form {
            template: "ddd!dd!dddd",
            evidence: Evidence::Named,
        },
    ],
    has_check_digits: false,
    is_valid,
};

/// Printed on sample cards and in advertisements, and withdrawn.
const ADVERTISED: [&[u8]; 2] = [b"078051120", b"219099999"];

/// Since 2011 every area is given out but these; there is no check digit.
fn is_valid(number: &[u8]) -> bool {
    let (area, group, serial) = (&number[..3], &number[3..5], &number[5..]);
    area != b"000"
        && area != b"666"
        && area[0] != b'9'
        && group != b"00"
        && serial != b"0000"
        && !ADVERTISED.contains(&number)
}

//! Numbers that a state gives to a person or a company, a line of a table for each form.

mod cnpj;
mod cpf;
mod form;
mod us_ssn;

use std::ops::Range;

use super::{
    digits::{self, Edges},
    source::Source,
    surroundings::{self, Meaning},
};
use crate::{
    finding::{Confidence, Finding},
    kind::Kind,
};

/// One kind of number. To add one, write its check and put it into [`NATIONAL_IDS`].
struct NationalId {
    /// The name under which it is reported.
    rule: &'static str,
    /// What the words beside it, or its field, say when they mean this number.
    meaning: Meaning,
    /// How it is written, from the surest to the least sure.
    forms: &'static [Form],
    /// Whether some of its digits check the others. What has check digits is believed whatever thing it
    /// is said to be the number of: it does not rule out whose.
    has_check_digits: bool,
    /// Whether letters and digits without separators are such a number.
    is_valid: fn(&[u8]) -> bool,
}

/// One way to write a number.
struct Form {
    /// See [`form::matches`].
    template: &'static str,
    evidence: Evidence,
}

/// What a form says on its own, of a valid number.
enum Evidence {
    /// Nothing else is written so.
    Certain,
    /// Other numbers are written so, and few of them are valid.
    Likely,
    /// As likely as this function says of it.
    Depends(fn(&[u8]) -> Confidence),
    /// Too many other numbers are written so: only if a word beside it, or its field, says what it is.
    Named,
}

const NATIONAL_IDS: [&NationalId; 3] = [&cpf::CPF, &cnpj::CNPJ, &us_ssn::US_SSN];

/// The characters of the longest number.
const MAX_CHARS: usize = 14;

/// A national id whose first digit, or the first digit behind its letters, stands at `at`.
pub(super) fn at(source: &Source<'_>, from: usize, at: usize) -> Option<Finding> {
    let bytes = source.bytes();
    if !digits::starts_run(bytes, at) {
        return None;
    }
    beginning_at(source, at).or_else(|| {
        let start = cnpj::start_around(bytes, at).filter(|start| *start >= from)?;
        beginning_at(source, start)
    })
}

fn beginning_at(source: &Source<'_>, start: usize) -> Option<Finding> {
    NATIONAL_IDS.iter().find_map(|id| {
        id.forms.iter().find_map(|form| {
            let range = start..form::matches(form.template, source.bytes(), start)?;
            let confidence = id.confidence(form, source, &range)?;
            Some(Finding {
                kind: Kind::NationalId,
                range,
                rule: id.rule,
                confidence,
            })
        })
    })
}

impl NationalId {
    /// How sure it is that `range` is such a number; `None` if it is none.
    fn confidence(
        &self,
        form: &Form,
        source: &Source<'_>,
        range: &Range<usize>,
    ) -> Option<Confidence> {
        let bytes = source.bytes();
        let (number, length) = digits::collect::<MAX_CHARS>(bytes, range.clone())?;
        let number = &number[..length];
        let edges = digits::edges(bytes, range);
        if edges == Edges::Inside || !(self.is_valid)(number) {
            return None;
        }
        let alone = match form.evidence {
            Evidence::Certain => return Some(Confidence::High),
            Evidence::Likely => Confidence::Medium,
            Evidence::Depends(confidence) => confidence(number),
            Evidence::Named => Confidence::Low,
        };
        Some(match surroundings::meaning(source, range) {
            Some(meaning) if meaning == self.meaning || meaning == Meaning::Document => {
                Confidence::High
            }
            // Something else, as the words beside it say.
            Some(meaning) if meaning != Meaning::Thing || !self.has_check_digits => Confidence::Low,
            _ if edges == Edges::Chained
                || surroundings::is_measured(bytes, range.end)
                || is_listed(bytes, range) =>
            {
                Confidence::Low
            }
            _ => alone,
        })
    }
}

/// Whether it is written with blanks, and so are more numbers beside it: `703 622 680 861 291 978`.
fn is_listed(bytes: &[u8], range: &Range<usize>) -> bool {
    bytes[range.clone()].contains(&b' ')
        && digits::more_groups(bytes, range, b' ', |_| true) != (0, 0)
}

#[cfg(test)]
mod tests;

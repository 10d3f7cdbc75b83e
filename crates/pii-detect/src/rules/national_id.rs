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
    let head = head(source.bytes(), start);
    if ALL_HEADS >> head & 1 == 0 {
        return None;
    }
    NATIONAL_IDS.iter().zip(&HEADS).find_map(|(id, heads)| {
        let mut forms = id.forms.iter().zip(heads);
        forms.find_map(|(form, heads)| {
            if heads >> head & 1 == 0 {
                return None;
            }
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

/// How many upper-case letters and digits stand in a row; beyond the longest number they are not
/// counted.
fn head(bytes: &[u8], start: usize) -> usize {
    let is_part = |byte: &&u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let rest = bytes[start..].iter().take(MAX_CHARS + 1);
    rest.take_while(is_part).count()
}

/// The [`form::heads`] of each form of each number: a group that begins none is seen off by its length.
static HEADS: [[u16; MAX_FORMS]; NATIONAL_IDS.len()] = heads().0;
/// Those of any form.
const ALL_HEADS: u16 = heads().1;
const MAX_FORMS: usize = 9;

const fn heads() -> ([[u16; MAX_FORMS]; NATIONAL_IDS.len()], u16) {
    let (mut heads, mut all) = ([[0; MAX_FORMS]; NATIONAL_IDS.len()], 0);
    let mut id = 0;
    while id < heads.len() {
        let forms = NATIONAL_IDS[id].forms;
        let mut form = 0;
        while form < forms.len() {
            heads[id][form] = form::heads(forms[form].template);
            all |= heads[id][form];
            form += 1;
        }
        id += 1;
    }
    (heads, all)
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
        let edges = digits::edges(bytes, range);
        if edges == Edges::Inside {
            return None;
        }
        let (number, length) = digits::collect::<MAX_CHARS>(bytes, range.clone())?;
        let number = &number[..length];
        if !(self.is_valid)(number) {
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

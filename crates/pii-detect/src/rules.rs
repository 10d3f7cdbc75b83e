//! What is recognised, a file for each kind: pure functions of a text and a position in it.
//!
//! A rule sees folded text: ASCII digits, plain hyphens and spaces. Each reads a bounded piece around
//! its position, so that a text of look-alikes costs no more than its length.

mod bank_account;
mod card;
mod digits;
mod email;
mod ip;
mod national_id;
mod phone;
pub(crate) mod secret;
mod source;
mod surroundings;

use crate::{finding::Finding, kind::Kind};

pub(crate) use self::{
    email::{
        around as email_around, may_go_on as email_may_go_on, signs_behind as email_signs_behind,
    },
    ip::around_colon,
    source::Source,
};

/// A rule that is asked at a place: what it found begins there, or reaches back no further than
/// `from`.
pub(crate) type Rule = fn(&Source<'_>, from: usize, at: usize) -> Option<Finding>;

/// What is asked at a `+` and a `(`, if its kind is looked for.
pub(crate) const AT_SIGNS: &[(Kind, Rule)] = &[(Kind::Phone, phone::at)];

/// What is asked at the first digit of a run, in this order, if its kind is looked for.
pub(crate) const AT_NUMBERS: &[(Kind, Rule)] = &[
    (Kind::BankAccount, bank_account::at),
    (Kind::PaymentCard, card::at),
    (Kind::NationalId, national_id::at),
    (Kind::Phone, phone::at),
    (Kind::IpAddress, ip::at_digit),
];

#[cfg(test)]
mod tests;

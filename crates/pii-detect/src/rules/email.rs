//! E-mail addresses.

mod domain;
mod local;
mod remote;

use std::ops::Range;

use super::source::Source;
use crate::{finding::Finding, kind::Kind};

pub(crate) use self::local::{may_go_on, signs_behind};

/// The address around an `@` at `at`, not reaching back beyond `from`.
pub(crate) fn around(source: &Source<'_>, from: usize, at: Range<usize>) -> Option<Finding> {
    let text = source.text();
    let start = local::start(text, from, at.start)?;
    let (end, confidence) = domain::end(text, at.end)?;
    let (local, domain) = (&text[start..at.start], &text[at.end..end]);
    if names_a_thing(local, domain) || remote::is_remote(text, start, local, domain, end) {
        return None;
    }
    Some(Finding {
        kind: Kind::Email,
        range: start..end,
        rule: "email",
        confidence,
    })
}

/// What else is written with an `@`: a version of a package, an object with its hash.
fn names_a_thing(local: &str, domain: &str) -> bool {
    let Some((first, rest)) = domain.split_once('.') else {
        return false;
    };
    let all_digits = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_digit());
    let second = rest.split('.').next().unwrap_or_default();
    let is_version = all_digits(first.strip_prefix('v').unwrap_or(first)) && all_digits(second);
    let class = local.rsplit('.').next().unwrap_or_default();
    let is_hash = first.len() <= 8
        && first.bytes().all(|b| b.is_ascii_hexdigit())
        && first.bytes().any(|b| b.is_ascii_digit())
        && !rest.contains('.');
    let is_object = is_hash && class.starts_with(|c: char| c.is_ascii_uppercase());
    let is_address = domain.parse::<std::net::Ipv4Addr>().is_ok();
    !is_address && is_version || is_object
}

#[cfg(test)]
mod tests;

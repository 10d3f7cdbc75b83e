//! The part of an address behind the `@`.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::finding::Confidence;

const MAX_CHARS: usize = 253;
const MAX_LITERAL_BYTES: usize = 48;

/// Where the domain ends that begins at `start`, and how sure it is that it is one.
pub(super) fn end(text: &str, start: usize) -> Option<(usize, Confidence)> {
    let after = &text[start..];
    if let Some(literal) = after.strip_prefix('[') {
        return bracketed(literal).map(|length| (start + length + 1, Confidence::High));
    }
    if let Some(length) = bare_address(after) {
        // `root@10.0.0.5` is how a program logs in.
        return Some((start + length, Confidence::Low));
    }
    let length = named(after, &['.']).or_else(|| named(after, &['.', '。']))?;
    Some((start + length, Confidence::High))
}

/// A name of at least two labels, the last of which can be a top-level domain.
fn named(after: &str, dots: &[char]) -> Option<usize> {
    let mut ended = false;
    let mut end = 0;
    let mut labels = 0;
    let mut top = "";
    for label in prefix(after, dots).split(dots) {
        let label = label.trim_end_matches('-');
        if label.is_empty() || label.starts_with('-') || ended {
            break;
        }
        let offset = label.as_ptr() as usize - after.as_ptr() as usize;
        labels += 1;
        top = one_script(label);
        end = offset + top.len();
        ended = top.len() < label.len() && labels > 1;
        if !ended {
            top = label;
            end = offset + label.len();
        }
    }
    (labels > 1 && is_top_level(top)).then_some(end)
}

fn prefix<'t>(after: &'t str, dots: &[char]) -> &'t str {
    let is_part = |c: char| c.is_alphanumeric() || c == '-' || dots.contains(&c) || is_mark(c);
    let end = after
        .char_indices()
        .take(MAX_CHARS)
        .take_while(|(_, c)| is_part(*c))
        .last()
        .map_or(0, |(index, c)| index + c.len_utf8());
    &after[..end]
}

/// A label that begins in ASCII letters goes over into another script where a sentence goes on without
/// a blank: `bob@example.com宛`.
fn one_script(label: &str) -> &str {
    if !label.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return label;
    }
    let end = label.find(|c: char| !c.is_ascii()).unwrap_or(label.len());
    if end >= 2 { &label[..end] } else { label }
}

fn is_top_level(label: &str) -> bool {
    let in_letters = label.chars().all(|c| c.is_alphabetic() || is_mark(c));
    let ascii = label.is_ascii();
    // `toString`: a method of an object.
    let hump = ascii
        && label
            .as_bytes()
            .windows(2)
            .any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
    let punycode = label.len() > 4 && label.is_ascii() && label[..4].eq_ignore_ascii_case("xn--");
    punycode
        || label.chars().count() >= 2 && in_letters && !hump && !(ascii && is_file_ending(label))
}

/// Endings of files that are no top-level domains: `icon@2x.min.png`, `@types/node@lts.json`.
fn is_file_ending(label: &str) -> bool {
    const ENDINGS: [&str; 36] = [
        "png", "jpg", "jpeg", "gif", "svg", "webp", "bmp", "ico", "pdf", "js", "mjs", "cjs", "ts",
        "tsx", "jsx", "css", "scss", "html", "htm", "json", "yaml", "yml", "toml", "xml", "txt",
        "lock", "gz", "tgz", "tar", "whl", "jar", "dll", "exe", "java", "class", "service",
    ];
    ENDINGS
        .iter()
        .any(|ending| ending.eq_ignore_ascii_case(label))
}

/// `[192.0.2.1]`, `[IPv6:2001:db8::1]`: RFC 5321, 4.1.3. The length with the closing bracket.
fn bracketed(literal: &str) -> Option<usize> {
    let close = literal
        .bytes()
        .take(MAX_LITERAL_BYTES)
        .position(|b| b == b']')?;
    let address = &literal[..close];
    let six = address
        .get(..5)
        .filter(|tag| tag.eq_ignore_ascii_case("ipv6:"))
        .map_or(address, |tag| &address[tag.len()..]);
    let valid = address.parse::<Ipv4Addr>().is_ok() || six.parse::<Ipv6Addr>().is_ok();
    valid.then_some(close + 1)
}

fn bare_address(after: &str) -> Option<usize> {
    const MAX_BYTES: usize = 15;
    let length = after
        .bytes()
        .take(MAX_BYTES + 1)
        .take_while(|b| b.is_ascii_digit() || *b == b'.')
        .count();
    let address = after[..length].trim_end_matches('.');
    address.parse::<Ipv4Addr>().is_ok().then_some(address.len())
}

/// Marks that belong to the letter before them, where `char::is_alphanumeric` does not count them:
/// accents, and the signs of Indic and South-East Asian scripts that suppress a vowel.
pub(super) fn is_mark(c: char) -> bool {
    matches!(
        c,
        '\u{300}'..='\u{36f}'
            | '\u{93c}' | '\u{94d}' | '\u{9bc}' | '\u{9cd}' | '\u{a3c}' | '\u{a4d}' | '\u{abc}' | '\u{acd}'
            | '\u{b3c}' | '\u{b4d}' | '\u{bcd}' | '\u{c4d}' | '\u{cbc}' | '\u{ccd}' | '\u{d4d}' | '\u{dca}'
            | '\u{e3a}' | '\u{e47}'..='\u{e4e}' | '\u{eb9}'..='\u{ebc}' | '\u{ec8}'..='\u{ecd}'
            | '\u{1039}' | '\u{103a}' | '\u{17d2}' | '\u{64b}'..='\u{652}'
    )
}

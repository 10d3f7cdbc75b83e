//! The hops that a message names, from the connection back towards the client.
//!
//! Both fields are read from their end: what is there was written by the nearest proxy, and stays
//! as it was written whatever a client has put before it, an open quote too.

use std::net::{IpAddr, Ipv6Addr};

/// The hops of `X-Forwarded-For`, the nearest first; `None` for one that is not an address.
pub(crate) fn forwarded_for<'a>(
    lines: impl DoubleEndedIterator<Item = &'a [u8]>,
) -> impl Iterator<Item = Option<IpAddr>> {
    lines
        .rev()
        .flat_map(|line| line.rsplit(|byte| *byte == b','))
        .map(trimmed)
        .filter(|hop| !hop.is_empty())
        .map(|hop| node(str::from_utf8(hop).ok()?))
}

/// The hops of `Forwarded` (RFC 7239), the nearest first; `None` for one that is not an address.
pub(crate) fn forwarded<'a>(
    lines: impl DoubleEndedIterator<Item = &'a [u8]>,
) -> impl Iterator<Item = Option<IpAddr>> {
    lines
        .rev()
        .flat_map(|line| Elements { rest: Some(line) })
        .map(trimmed)
        .filter(|element| !element.is_empty())
        .map(|element| node(&for_parameter(str::from_utf8(element).ok()?)?))
}

/// The elements of a list with quoted strings, from the last to the first.
#[derive(Debug)]
struct Elements<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let line = self.rest.take()?;
        let mut is_quoted = false;
        for (at, byte) in line.iter().enumerate().rev() {
            match byte {
                b'"' if !(is_quoted && is_escaped(line, at)) => is_quoted = !is_quoted,
                b',' if !is_quoted => {
                    self.rest = Some(&line[..at]);
                    return Some(&line[at + 1..]);
                }
                _ => {}
            }
        }
        Some(line)
    }
}

/// Whether an odd number of backslashes is before this place.
fn is_escaped(line: &[u8], at: usize) -> bool {
    let before = line[..at].iter().rev();
    before.take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// The value of the `for` parameter of an element, if it has exactly one and nothing is wrong with
/// the others.
fn for_parameter(element: &str) -> Option<String> {
    let mut found = None;
    let mut rest = element;
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = value(after.trim_start_matches([' ', '\t']))?;
        let name = name.trim_matches([' ', '\t']);
        if name.is_empty()
            || !name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            return None;
        }
        if name.eq_ignore_ascii_case("for") && found.replace(value).is_some() {
            return None;
        }
        let after = after.trim_start_matches([' ', '\t']);
        if after.is_empty() {
            return found;
        }
        rest = after.strip_prefix(';')?;
    }
}

/// A value, quoted or up to the next parameter, and what follows it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        let value = text[..end].trim_end_matches([' ', '\t']);
        return (!value.contains('"')).then(|| (value.to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut signs = quoted.char_indices();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(signs.next()?.1),
            _ => value.push(sign),
        }
    }
    None
}

/// An address, with or without a port; an IPv6 one in brackets or without, and then without a port.
fn node(text: &str) -> Option<IpAddr> {
    let address = if let Some(bracketed) = text.strip_prefix('[') {
        let (address, port) = bracketed.split_once(']')?;
        if !port.is_empty() && !is_port(port.strip_prefix(':')?) {
            return None;
        }
        IpAddr::V6(v6(address)?)
    } else if let Some(address) = v6(text) {
        IpAddr::V6(address)
    } else if let Some((address, port)) = text.split_once(':') {
        is_port(port).then_some(())?;
        IpAddr::V4(address.parse().ok()?)
    } else {
        IpAddr::V4(text.parse().ok()?)
    };
    Some(address.to_canonical())
}

/// An IPv6 address; its zone (RFC 4007, 11) says something to the proxy alone.
fn v6(text: &str) -> Option<Ipv6Addr> {
    let (address, zone) = match text.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (text, None),
    };
    let is_zone = |zone: &str| {
        let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        !zone.is_empty() && zone.bytes().all(is_unreserved)
    };
    if !zone.is_none_or(is_zone) {
        return None;
    }
    address.parse().ok()
}

/// A number, or a name that stands for one (RFC 7239, 6).
fn is_port(text: &str) -> bool {
    if let Some(name) = text.strip_prefix('_') {
        let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        return !name.is_empty() && name.bytes().all(is_sign);
    }
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

fn trimmed(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

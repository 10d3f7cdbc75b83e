//! HTML character references: `&#64;`, `&#x40;`, `&commat;`.

use super::{Decoded, number};

/// The character that is encoded at the `&` with which the bytes begin.
pub(super) fn at(bytes: &[u8]) -> Option<Decoded> {
    match (bytes.get(1)?, bytes.get(2)) {
        (b'#', Some(b'x' | b'X')) => numeric(bytes, 3, 16),
        (b'#', _) => numeric(bytes, 2, 10),
        _ => named(bytes),
    }
}

/// Leading zeros are allowed, and nobody writes this many digits for another reason than to hide.
const MAX_DIGITS: usize = 32;

fn numeric(bytes: &[u8], start: usize, base: u32) -> Option<Decoded> {
    let (value, length) = number(&bytes[start..], base, MAX_DIGITS)?;
    let c = match value {
        // Numbers of Windows-1252 that browsers take for dashes.
        0x96 => '\u{2013}',
        0x97 => '\u{2014}',
        _ => char::from_u32(value)?,
    };
    let end = start + length;
    Some((c, end + usize::from(bytes.get(end) == Some(&b';'))))
}

fn named(bytes: &[u8]) -> Option<Decoded> {
    let letters = bytes[1..].iter().take(MAX_NAME + 1);
    let length = letters
        .take_while(|byte| byte.is_ascii_alphanumeric())
        .count();
    let name = &bytes[1..=length];
    if bytes.get(1 + length) == Some(&b';') {
        let index = NAMES.binary_search_by_key(&name, |(known, _)| known.as_bytes());
        return Some((NAMES[index.ok()?].1, length + 2));
    }
    // As browsers do in text, also where a letter follows.
    let open = OPEN
        .iter()
        .find(|(known, _)| name.starts_with(known.as_bytes()))?;
    Some((open.1, open.0.len() + 1))
}

/// The names that need no semicolon.
const OPEN: &[(&str, char)] = &[
    ("amp", '&'),
    ("AMP", '&'),
    ("gt", '>'),
    ("GT", '>'),
    ("lt", '<'),
    ("LT", '<'),
    ("nbsp", '\u{a0}'),
    ("quot", '"'),
    ("QUOT", '"'),
    ("shy", '\u{ad}'),
];

/// The longest of [`NAMES`].
const MAX_NAME: usize = 21;

/// The names of ASCII, of spaces, of dashes, and of what cannot be seen, in the order of their bytes.
const NAMES: &[(&str, char)] = &[
    ("AMP", '&'),
    ("ApplyFunction", '\u{2061}'),
    ("DiacriticalGrave", '`'),
    ("GT", '>'),
    ("Hat", '^'),
    ("InvisibleComma", '\u{2063}'),
    ("InvisibleTimes", '\u{2062}'),
    ("LT", '<'),
    ("MediumSpace", '\u{205f}'),
    ("NegativeMediumSpace", '\u{200b}'),
    ("NegativeThickSpace", '\u{200b}'),
    ("NegativeThinSpace", '\u{200b}'),
    ("NegativeVeryThinSpace", '\u{200b}'),
    ("NewLine", '\n'),
    ("NoBreak", '\u{2060}'),
    ("NonBreakingSpace", '\u{a0}'),
    ("QUOT", '"'),
    ("Tab", '\t'),
    ("ThinSpace", '\u{2009}'),
    ("UnderBar", '_'),
    ("VeryThinSpace", '\u{200a}'),
    ("ZeroWidthSpace", '\u{200b}'),
    ("af", '\u{2061}'),
    ("amp", '&'),
    ("apos", '\''),
    ("ast", '*'),
    ("bsol", '\\'),
    ("colon", ':'),
    ("comma", ','),
    ("commat", '@'),
    ("dash", '\u{2010}'),
    ("dollar", '$'),
    ("emsp", '\u{2003}'),
    ("emsp13", '\u{2004}'),
    ("emsp14", '\u{2005}'),
    ("ensp", '\u{2002}'),
    ("equals", '='),
    ("excl", '!'),
    ("grave", '`'),
    ("gt", '>'),
    ("hairsp", '\u{200a}'),
    ("horbar", '\u{2015}'),
    ("hyphen", '\u{2010}'),
    ("ic", '\u{2063}'),
    ("it", '\u{2062}'),
    ("lbrace", '{'),
    ("lbrack", '['),
    ("lcub", '{'),
    ("lowbar", '_'),
    ("lpar", '('),
    ("lrm", '\u{200e}'),
    ("lsqb", '['),
    ("lt", '<'),
    ("mdash", '\u{2014}'),
    ("midast", '*'),
    ("minus", '\u{2212}'),
    ("nbsp", '\u{a0}'),
    ("ndash", '\u{2013}'),
    ("num", '#'),
    ("numsp", '\u{2007}'),
    ("percnt", '%'),
    ("period", '.'),
    ("plus", '+'),
    ("puncsp", '\u{2008}'),
    ("quest", '?'),
    ("quot", '"'),
    ("rbrace", '}'),
    ("rbrack", ']'),
    ("rcub", '}'),
    ("rlm", '\u{200f}'),
    ("rpar", ')'),
    ("rsqb", ']'),
    ("semi", ';'),
    ("shy", '\u{ad}'),
    ("sol", '/'),
    ("thinsp", '\u{2009}'),
    ("verbar", '|'),
    ("vert", '|'),
    ("zwj", '\u{200d}'),
    ("zwnj", '\u{200c}'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_in_order_and_no_longer_than_is_read() {
        assert!(NAMES.is_sorted_by_key(|(name, _)| name));
        let longest = NAMES.iter().map(|(name, _)| name.len()).max();
        assert_eq!(longest, Some(MAX_NAME));
    }
}

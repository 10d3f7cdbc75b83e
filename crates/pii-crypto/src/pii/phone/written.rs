//! How people write a telephone number, and the digits that are meant.

use rlibphonenumber::PHONE_NUMBER_UTIL;
use zeroize::Zeroizing;

/// `+` and digits, or digits as they are dialled within a region.
pub(super) struct Digits(Zeroizing<String>);

impl Digits {
    /// Nothing, if there is more than digits and what separates them: a letter may be a typing error
    /// for a digit, or stand for one that is not known (`+55 11 9XXXX-XXXX`).
    pub(super) fn read(text: &str) -> Option<Self> {
        let plain = plain(text)?;
        let text = match plain.get(..4) {
            Some(scheme) if scheme.eq_ignore_ascii_case("tel:") => &plain[4..],
            _ => &plain,
        };
        let (text, context) = match text.split_once(';') {
            Some((text, parameters)) => (text, context(parameters)?),
            None => (without_extension(text), None),
        };
        let text = text.trim();
        // A number within a context is one without a `+`, and the other way round.
        let digits = match (context, text.strip_prefix('+')) {
            (Some(context), None) => ["+", context, text].concat(),
            (None, _) => text.to_owned(),
            (Some(_), Some(_)) => return None,
        };
        let mut digits = Zeroizing::new(digits);
        digits.retain(|c| c != ' ');
        let number = digits.strip_prefix('+').unwrap_or(&digits);
        let good = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        good.then_some(Self(digits))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The country calling code comes first.
    pub(super) fn are_international(&self) -> bool {
        self.0.starts_with('+')
    }
}

/// Every digit as one of ASCII, every separator as a blank, and without what cannot be seen.
fn plain(text: &str) -> Option<Zeroizing<String>> {
    let mut plain = Zeroizing::new(String::with_capacity(text.len()));
    for c in text.chars() {
        match c {
            '\u{ff0b}' => plain.push('+'),
            _ if is_invisible(c) => {}
            _ if is_separator(c) => plain.push(' '),
            _ if c.is_ascii_control() => return None,
            _ if c.is_ascii() || !c.is_numeric() => plain.push(c),
            _ => {
                let digit = PHONE_NUMBER_UTIL.normalize_digits_only(c.encode_utf8(&mut [0; 4]));
                plain.push(digit.chars().next()?);
            }
        }
    }
    Some(plain)
}

/// What is drawn as nothing and comes along when a number is copied: marks of the direction of
/// writing, joiners, soft hyphens, byte order marks.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
    )
}

/// What libphonenumber takes between digits, and every blank that ends no line.
fn is_separator(c: char) -> bool {
    match c {
        '-' | '.' | '/' | '(' | ')' | '[' | ']' | '~' | '\t' => true,
        '\u{2010}'..='\u{2015}' | '\u{2053}' | '\u{2212}' | '\u{223c}' | '\u{30fc}' => true,
        '\u{ff08}' | '\u{ff09}' | '\u{ff0d}'..='\u{ff0f}' | '\u{ff3b}' | '\u{ff3d}' => true,
        '\u{ff5e}' => true,
        '\n' | '\u{b}' | '\u{c}' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => false,
        c => c.is_whitespace(),
    }
}

/// What stands before an extension, in lower case; of RFC 3966 is `;ext=`.
const LABELS: &[&str] = &[
    "x",
    "ext",
    "extn",
    "extension",
    "extensión",
    "int",
    "anexo",
    "доб",
    "#",
    ",",
    ",,",
];
/// As many as libphonenumber takes.
const MAX_EXTENSION_DIGITS: usize = 20;

fn is_extension(text: &str) -> bool {
    let digits = text.bytes().filter(|&byte| byte != b' ');
    let all = digits.clone().all(|byte| byte.is_ascii_digit());
    all && (1..=MAX_EXTENSION_DIGITS).contains(&digits.count())
}

/// The number alone: `+1 650 253 0000` of `+1 650 253 0000 ext 136`.
fn without_extension(text: &str) -> &str {
    let marked = text.strip_suffix('#').unwrap_or(text);
    let rest = marked.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, ' ' | ':'));
    let is_label = |c: char| c.is_alphabetic() || matches!(c, '#' | ',');
    let number = rest.trim_end_matches(is_label);
    let label = rest[number.len()..].to_lowercase();
    let extension = marked[rest.len()..].replace(':', " ");
    if LABELS.contains(&label.as_str()) && is_extension(&extension) {
        number.trim_end_matches([' ', ','])
    } else {
        text
    }
}

/// The digits that come before a number, of its parameters after RFC 3966, 3: nothing if one is
/// unknown, or is a domain, within which others give out the numbers.
fn context(parameters: &str) -> Option<Option<&str>> {
    let mut context = None;
    for parameter in parameters.split(';') {
        let (name, value) = parameter.split_once('=').unwrap_or(("ext", parameter));
        match name.trim().to_ascii_lowercase().as_str() {
            "ext" if is_extension(value) => {}
            // A subaddress of ISDN.
            "isub" if !value.is_empty() => {}
            // Every `-` is a blank by now.
            "phone context" if context.is_none() => context = Some(value.strip_prefix('+')?),
            _ => return None,
        }
    }
    Some(context)
}

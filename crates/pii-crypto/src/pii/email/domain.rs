//! What stands behind the `@`.

mod label;

use idna::{
    AsciiDenyList,
    uts46::{DnsLength, Hyphens, Uts46},
};
use zeroize::Zeroizing;

use crate::pii::unseen::is_unseen;

/// What separates labels (UTS 46).
pub(super) const DOTS: [char; 4] = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];

/// The domain in Punycode, if it is one that mail can go to: at least two labels of 1 to 63 letters,
/// digits and hyphens, none of these at an end nor, but for Punycode, in third and fourth place
/// (RFC 5891), 253 bytes in all; and a top-level domain that ends with a letter or is Punycode, as each
/// of them does.
pub(super) fn checked(domain: &str) -> Option<Zeroizing<String>> {
    // UTS 46 takes most of them out, so that they would show in what is sealed alone. Joiners it
    // knows the places for.
    let is_hidden = |char| is_unseen(char) && !JOINERS.contains(&char);
    if domain.contains(is_hidden) {
        return None;
    }
    let ascii = to_ascii(domain, Hyphens::Check)?;
    let (_, top) = ascii.rsplit_once('.')?;
    let is_top = top.starts_with("xn--") || top.ends_with(|char: char| char.is_ascii_alphabetic());
    (is_top && has_valid_labels(&ascii)).then_some(ascii)
}

/// The normal form: lower-case Punycode.
pub(super) fn normal(domain: &str) -> Zeroizing<String> {
    // What was parsed has a domain that can be converted; rules of later versions may differ.
    to_ascii(domain, Hyphens::Allow).unwrap_or_else(|| Zeroizing::new(domain.to_lowercase()))
}

/// Whether international labels are of what RFC 5892 lets stand there, as RFC 6531 asks for. UTS 46 takes
/// symbols, dashes and combining marks of symbols as well.
fn has_valid_labels(ascii: &str) -> bool {
    if !ascii.contains("xn--") {
        return true;
    }
    let (text, valid) =
        Uts46::new().to_unicode(ascii.as_bytes(), AsciiDenyList::STD3, Hyphens::Check);
    let text = Zeroizing::new(text.into_owned());
    valid.is_ok() && text.split('.').all(label::is_valid)
}

const JOINERS: [char; 2] = ['\u{200c}', '\u{200d}'];

fn to_ascii(domain: &str, hyphens: Hyphens) -> Option<Zeroizing<String>> {
    Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            hyphens,
            DnsLength::Verify,
        )
        .ok()
        .map(|domain| Zeroizing::new(domain.into_owned()))
}

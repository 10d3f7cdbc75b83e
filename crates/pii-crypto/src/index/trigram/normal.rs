//! The normal form `name-trigram/1`.

use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::pii::{is_ignorable, is_letter_or_digit, is_mark};

/// The normal form of names to search in. It never changes: another rule is `name-trigram/2`.
///
/// Compatibility forms are one (NFKC), upper and lower case are one, with `ß` as `ss` and both small sigmas
/// one; accents and the other marks of the block Combining Diacritical Marks are left out, so that `joao`
/// finds `João`. Marks of other scripts stay, where they are vowels. What is neither letter, digit nor mark
/// is one blank, and there are none at the ends: `O'Brien`, `O’Brien` and `o brien` are one.
pub(super) fn normal(text: &str) -> Zeroizing<String> {
    let folded = Zeroizing::new(
        text.nfkd()
            .flat_map(char::to_uppercase)
            .flat_map(char::to_lowercase)
            .collect::<String>(),
    );
    // NFKD before, so that the parts of what is compatible are folded; and after, since folding makes
    // characters that come apart.
    let bare = Zeroizing::new(
        folded
            .nfkd()
            .filter(|char| !is_accent(*char))
            .collect::<String>(),
    );
    let mut normal = Zeroizing::new(String::with_capacity(bare.len()));
    for char in bare.nfkc() {
        if is_letter_or_digit(char) || is_mark(char) {
            normal.push(char);
        } else if is_ignorable(char) {
            // Joiners stand within words.
        } else if !normal.is_empty() && !normal.ends_with(' ') {
            normal.push(' ');
        }
    }
    if normal.ends_with(' ') {
        normal.pop();
    }
    normal
}

const fn is_accent(char: char) -> bool {
    matches!(char, '\u{300}'..='\u{36f}')
}

#[cfg(test)]
mod tests;

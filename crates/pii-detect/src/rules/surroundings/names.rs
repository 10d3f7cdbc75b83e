//! Names of fields and clauses, read word by word.

use super::words::{self, Meaning, Role, Word};

/// Longer names are not read.
const MAX_BYTES: usize = 128;

/// What the name of a field says of its value: the last word that says anything, if nothing but
/// fillers follow it. `contact_phone` and `phoneNumber` are telephone numbers, `phone_order` is an
/// order, `phone_verified_at` nothing of the kind.
pub(in crate::rules) fn meaning(name: &str) -> Option<Meaning> {
    if name.is_empty() || name.len() > MAX_BYTES {
        return None;
    }
    read(name, false)
}

/// The same for the words before a number.
pub(super) fn meaning_in_prose(clause: &str) -> Option<Meaning> {
    read(clause, true)
}

fn read(text: &str, prose: bool) -> Option<Meaning> {
    let mut meaning = None;
    let mut last = Word::default();
    for part in Parts(text) {
        let word = Word::new(part);
        let role = words::said(&last.joined(&word)).or_else(|| words::role(&word, prose));
        meaning = match role {
            Some(Role::Says(said)) => Some(said),
            Some(Role::Filler) => meaning,
            // `order_id` is an order, `phone_id` no telephone number.
            Some(Role::Id) => {
                meaning.filter(|said| !matches!(said, Meaning::Phone | Meaning::Card))
            }
            None => None,
        };
        last = word;
    }
    meaning
}

/// The words of `snake_case`, `kebab-case`, `camelCase`, `HTTPServer` and prose.
struct Parts<'t>(&'t str);

impl<'t> Iterator for Parts<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let start = self.0.find(char::is_alphanumeric)?;
        let rest = &self.0[start..];
        let mut end = rest.len();
        let mut chars = rest.char_indices().peekable();
        let mut before: Option<char> = None;
        while let Some((index, c)) = chars.next() {
            let after = chars.peek().map(|(_, c)| *c);
            if before.is_some_and(|before| splits(before, c, after))
                || !c.is_alphanumeric() && !words::is_mark(c)
            {
                end = index;
                break;
            }
            if !words::is_mark(c) {
                before = Some(c);
            }
        }
        self.0 = &rest[end..];
        Some(&rest[..end])
    }
}

/// Whether a word ends between `before` and `c`.
fn splits(before: char, c: char, after: Option<char>) -> bool {
    let hump = before.is_lowercase() && c.is_uppercase();
    let acronym_ends =
        before.is_uppercase() && c.is_uppercase() && after.is_some_and(char::is_lowercase);
    hump || acronym_ends || before.is_ascii_digit() != c.is_ascii_digit()
}

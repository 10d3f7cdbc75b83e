//! Character references of HTML.

use crate::{guilty::Value, random::Random};

const NAMED: [(char, &str); 12] = [
    ('@', "&commat;"),
    ('.', "&period;"),
    ('+', "&plus;"),
    ('(', "&lpar;"),
    (')', "&rpar;"),
    (' ', "&nbsp;"),
    ('-', "&ndash;"),
    ('/', "&sol;"),
    ('_', "&lowbar;"),
    ('\'', "&apos;"),
    ('=', "&equals;"),
    (':', "&colon;"),
];

/// Every second value from its first character to its last, otherwise what is no letter or digit.
fn referenced(random: &mut Random, value: &Value, write: impl Fn(u32) -> String) -> Option<String> {
    let all = random.once_in(2);
    let needs = |c: char| all || !c.is_alphanumeric();
    value.text.chars().any(needs).then(|| {
        let written = value.text.chars().map(|c| {
            if needs(c) {
                write(u32::from(c))
            } else {
                c.to_string()
            }
        });
        written.collect()
    })
}

pub(super) fn decimal(random: &mut Random, value: &Value) -> Option<String> {
    let zeros = random.pick(&[0, 0, 5]);
    referenced(random, value, |c| format!("&#{c:0zeros$};"))
}

pub(super) fn hexadecimal(random: &mut Random, value: &Value) -> Option<String> {
    if random.once_in(2) {
        referenced(random, value, |c| format!("&#x{c:x};"))
    } else {
        referenced(random, value, |c| format!("&#X{c:02X};"))
    }
}

/// A dash in the middle of a secret or an address would be another one.
pub(super) fn named(_: &mut Random, value: &Value) -> Option<String> {
    let dashes = value.column.is_number();
    let name = |c: char| {
        let named = NAMED.iter().find(|(character, _)| *character == c);
        named.filter(|_| c != '-' || dashes)
    };
    value.text.chars().any(|c| name(c).is_some()).then(|| {
        let written = value.text.chars();
        written
            .map(|c| name(c).map_or_else(|| c.to_string(), |(_, name)| (*name).to_owned()))
            .collect()
    })
}

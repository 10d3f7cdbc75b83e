//! Characters that nobody sees, and separators that look like others.

use crate::{corpus::Column, guilty::Value, random::Random};

pub(super) fn zero_width(random: &mut Random, value: &Value) -> Option<String> {
    let unseen = random.pick(&[
        '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}', '\u{200e}', '\u{202c}',
    ]);
    Some(inserted(random, &value.text, unseen))
}

pub(super) fn soft_hyphen(random: &mut Random, value: &Value) -> Option<String> {
    Some(inserted(random, &value.text, '\u{ad}'))
}

/// On both sides of an `@`, otherwise at one to three places inside.
fn inserted(random: &mut Random, text: &str, unseen: char) -> String {
    if text.contains('@') {
        let (before, after) = random.pick(&[(true, true), (true, false), (false, true)]);
        let mark = |stands: bool| {
            if stands {
                unseen.to_string()
            } else {
                String::new()
            }
        };
        return text.replace('@', &format!("{}@{}", mark(before), mark(after)));
    }
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..=random.index(3) {
        let at = random.index(characters.len() - 1) + 1;
        characters.insert(at, unseen);
    }
    characters.into_iter().collect()
}

pub(super) fn no_break_space(random: &mut Random, value: &Value) -> Option<String> {
    let space = random.pick(&["\u{a0}", "\u{202f}", "\u{2007}", "\u{2009}"]);
    let spaced = value.text.contains(' ');
    (spaced && value.column != Column::ApiKey).then(|| value.text.replace(' ', space))
}

/// En dash, hyphens, figure dash and minus. A dash in a secret or an address would be another one.
pub(super) fn dash(random: &mut Random, value: &Value) -> Option<String> {
    let dash = random.pick(&["\u{2013}", "\u{2010}", "\u{2011}", "\u{2012}", "\u{2212}"]);
    let separators: &[char] = if value.column == Column::Phone {
        &[' ', '-']
    } else {
        &['-']
    };
    let dashed = value.text.contains(separators);
    (dashed && value.column.is_number()).then(|| value.text.replace(separators, dash))
}

//! Names in messages: those that a schema knows are given, of others only their shape.

use crate::spelling;

/// The most names in a list.
const MAX_LISTED: usize = 12;

/// The longest name that is compared with known ones, which takes the product of their lengths.
const MAX_COMPARED: usize = 64;

/// `` `a`, `b`, `c` and 7 more ``
pub(crate) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.len().checked_sub(MAX_LISTED) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..MAX_LISTED].join(", ")),
    }
}

/// What can be said of a name that nobody knows, which may be somebody's: a known name that is
/// nearly the same, or how it looks.
pub(crate) fn hint<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let plain = |text: &str| text.replace(['-', '_', ' ', '.'], "").to_lowercase();
    let meant = if name.len() > MAX_COMPARED {
        None
    } else {
        let written = plain(name);
        let same = known.clone().find(|known| plain(known) == written);
        same.or_else(|| spelling::nearest(&name.to_lowercase(), known))
    };
    match meant {
        Some(known) => format!("perhaps `{known}` is meant"),
        None => shape(name),
    }
}

/// `8 characters: letters and digits`
fn shape(name: &str) -> String {
    let has = |is: fn(char) -> bool| name.chars().any(is);
    let is_sign = |character: char| !character.is_alphanumeric() && !character.is_whitespace();
    let parts: Vec<&str> = [
        (has(char::is_alphabetic), "letters"),
        (has(char::is_numeric), "digits"),
        (has(char::is_whitespace), "blanks"),
        (has(is_sign), "signs"),
    ]
    .into_iter()
    .filter_map(|(has, part)| has.then_some(part))
    .collect();
    match parts.split_last() {
        None => "it is empty".to_owned(),
        Some((last, [])) => format!("it has {} characters: {last}", name.chars().count()),
        Some((last, rest)) => format!(
            "it has {} characters: {} and {last}",
            name.chars().count(),
            rest.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_bounded() {
        let names: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        let list = |count: usize| listed(names[..count].iter().map(String::as_str));
        assert_eq!(list(0), "");
        assert_eq!(list(2), "`0`, `1`");
        assert!(list(12).ends_with("`11`"));
        assert!(list(20).ends_with("`11` and 8 more"));
    }

    #[test]
    fn an_unknown_name_is_never_repeated() {
        let known = ["email", "national_id", "url"];
        for (name, expected) in [
            ("emaill", "perhaps `email` is meant"),
            ("E-Mail", "perhaps `email` is meant"),
            ("nationalId", "perhaps `national_id` is meant"),
            ("National ID", "perhaps `national_id` is meant"),
            ("canary7Q", "it has 8 characters: letters and digits"),
            ("529.982.247-25", "it has 14 characters: digits and signs"),
            ("Ada L.", "it has 6 characters: letters, blanks and signs"),
            ("", "it is empty"),
        ] {
            assert_eq!(hint(name, known.into_iter()), expected);
        }
    }
}

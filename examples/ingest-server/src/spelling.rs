//! Which known name somebody probably meant.

/// As `INGEST_TRUSTED_PROXY` has, which is three errors from the plural.
const LONG_CHARS: usize = 18;

/// The known name that is at most two typing errors away, three in a long one, and at most one in
/// three characters.
pub(crate) fn nearest<T: AsRef<str>>(name: &str, known: impl Iterator<Item = T>) -> Option<T> {
    let chars = name.chars().count();
    let most = if chars < LONG_CHARS { 2 } else { 3 }.min(chars / 3);
    // Each character more or less is an error, and lengths are compared at once.
    let is_near = |known: &T| known.as_ref().chars().count().abs_diff(chars) <= most;
    known
        .filter(is_near)
        .map(|known| (distance(name, known.as_ref()), known))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// Levenshtein's distance: characters inserted, removed or replaced.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, character) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(character != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, nearest};

    #[test]
    fn distance_counts_typing_errors() {
        for (left, right, expected) in [
            ("", "", 0),
            ("listen", "listen", 0),
            ("lsten", "listen", 1),
            ("lisstenn", "listen", 2),
            ("lsiten", "listen", 2),
            ("kitten", "sitting", 3),
            ("", "log", 3),
        ] {
            assert_eq!(distance(left, right), expected, "{left} {right}");
            assert_eq!(distance(right, left), expected, "{right} {left}");
        }
    }

    #[test]
    fn the_nearest_name_is_within_two_errors_and_a_third_of_the_name() {
        let known = ["log", "listen", "admin_listen"];
        assert_eq!(nearest("lsiten", known.iter()), Some(&"listen"));
        assert_eq!(nearest("lag", known.iter()), Some(&"log"));
        assert_eq!(nearest("dig", known.iter()), None);
        assert_eq!(nearest("listener_", known.iter()), None);
        assert_eq!(nearest("", known.iter()), None);
    }
}

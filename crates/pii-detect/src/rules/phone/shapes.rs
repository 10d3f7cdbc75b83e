//! How national numbers are grouped, region by region.

/// A number with its area code in brackets.
pub(super) fn in_brackets(digits: &[u8], lengths: &[usize]) -> bool {
    match (digits, lengths) {
        // North America, `(415) 555-2671`; Mexico writes three, three and four digits too.
        ([b'2'..=b'9', ..], [3, 3, 4]) => true,
        // `(415) 5552671`
        ([b'2'..=b'9', ..], [3, 7]) => true,
        // Russia, `(495) 123-45-67`
        ([b'3'..=b'9', ..], [3, 3, 2, 2]) => true,
        // Brazil, `(11) 98765-4321`; Argentina and Mexico, `(11) 4321-1234`
        ([b'1'..=b'9', _, b'9', ..], [2, 5, 4] | [2, 9]) => true,
        ([b'1'..=b'9', ..], [2, 4, 4] | [2, 8]) => true,
        // With the trunk zero: `(030) 1234567`, `(0171) 123 45 67`, `(011) 98765-4321`
        ([b'0', b'1'..=b'9', ..], [2..=6, rest @ ..]) => {
            (9..=12).contains(&digits.len()) && ends_in_pair(rest)
        }
        _ => false,
    }
}

/// A number in groups with these separators between them.
pub(super) fn is_national(digits: &[u8], lengths: &[usize], separators: &[u8]) -> bool {
    north_american(digits, lengths, separators)
        || brazilian(digits, lengths, separators)
        || russian(digits, lengths)
        || chinese(digits, lengths, separators)
        || behind_trunk_zero(digits, lengths, separators)
}

/// `415-555-2671`, `415.555.2671`, `1-415-555-2671`, `1 (415) 555-2671`. With blanks alone they are three
/// numbers of a list.
fn north_american(digits: &[u8], lengths: &[usize], separators: &[u8]) -> bool {
    let digits = match (digits, lengths) {
        ([b'1', rest @ ..], [1, 3, 3, 4]) => rest,
        (_, [3, 3, 4]) => digits,
        _ => return false,
    };
    let plan = matches!(digits, [b'2'..=b'9', b'0'..=b'8', _, b'2'..=b'9', ..]);
    let dots = separators.iter().filter(|b| **b == b'.').count();
    plan && (dots == 0 || dots == separators.len())
        && separators
            .iter()
            .any(|b| matches!(b, b'-' | b'.' | b'(' | b')'))
}

/// `11 98765-4321`, `11-98765-4321`, `11 3456-7890`.
fn brazilian(digits: &[u8], lengths: &[usize], separators: &[u8]) -> bool {
    let area = matches!(digits, [b'1'..=b'9', b'1'..=b'9', ..]);
    let subscriber = match lengths {
        [2, 5, 4] => digits[2] == b'9',
        [2, 4, 4] => matches!(digits[2], b'2'..=b'5'),
        _ => false,
    };
    area && subscriber && separators[1] == b'-' && separators[0] != b'.'
}

/// `8 (495) 123-45-67`, `8-916-123-45-67`.
fn russian(digits: &[u8], lengths: &[usize]) -> bool {
    lengths == [1, 3, 3, 2, 2] && matches!(digits, [b'7' | b'8', b'3'..=b'9', ..])
}

/// Mobile numbers: `138-1234-5678`.
fn chinese(digits: &[u8], lengths: &[usize], separators: &[u8]) -> bool {
    lengths == [3, 4, 4]
        && matches!(digits, [b'1', b'3'..=b'9', ..])
        && separators[0] == separators[1]
}

/// The trunk zero of most of Europe, Asia, Africa and Oceania, and an area code: `030/12345678`,
/// `020 7946 0958`, `01 23 45 67 89`.
fn behind_trunk_zero(digits: &[u8], lengths: &[usize], separators: &[u8]) -> bool {
    if !matches!(digits, [b'0', b'1'..=b'9', ..]) {
        return false;
    }
    let dots = separators.iter().filter(|b| **b == b'.').count();
    if dots > 0 && (dots < separators.len() || dots < 2) {
        return false;
    }
    let alike = separators.windows(2).all(|pair| pair[0] == pair[1]);
    match lengths {
        [2, 2, 2, 2, 2] => alike,
        // `01-02-2024` is a date, `03-1234-5678` a number.
        [2, 4, 4] | [2, 3, 4] | [2, 4, 3] | [2, 3, 2, 2] | [2, 3, 3, 2] | [2, 7 | 8] => true,
        // Four equal groups are columns of a table.
        [3, 3, 3, 3] => false,
        // A drug, `03427-7153-98`, and goods for the customs, `0607.58.74.00`.
        [5, 3 | 4, 2] if separators == b"--" => false,
        [4, 2, 2, 2] if dots > 0 => false,
        [3..=6, rest @ ..] => {
            rest.len() <= 4 && (10..=12).contains(&digits.len()) && ends_in_pair(rest)
        }
        _ => false,
    }
}

/// `0123-456789-0` is an order, with a check digit at its end.
fn ends_in_pair(lengths: &[usize]) -> bool {
    lengths.iter().all(|length| *length >= 2)
}

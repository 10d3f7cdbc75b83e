//! Country calling codes, found without the numbering plans.

/// Those of two digits, of the ITU's list of assigned codes (annex to Operational Bulletin 1114):
/// 1 and 7 have one digit, the others three. None begins another.
const OF_TWO_DIGITS: &[&str] = &[
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47",
    "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65",
    "66", "81", "82", "84", "86", "90", "91", "92", "93", "94", "95", "98",
];

/// The country calling code that a number begins with; empty if it begins otherwise.
pub(super) fn calling_code(number: &str) -> &str {
    let length = match number.get(..2) {
        Some(first) if first.starts_with(['1', '7']) => 1,
        Some(first) if OF_TWO_DIGITS.contains(&first) => 2,
        _ => 3,
    };
    number
        .get(..length)
        .filter(|code| code.bytes().all(|byte| byte.is_ascii_digit()))
        .unwrap_or_default()
}

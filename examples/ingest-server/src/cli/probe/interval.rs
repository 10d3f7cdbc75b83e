//! Lengths of time as arguments have them.

use std::time::Duration;

const LEAST: Duration = Duration::from_secs(1);
const MOST: Duration = Duration::from_secs(60 * 60);

/// Reads `10s`, `5m` or `1h`.
pub(super) fn parse_interval(text: &str) -> Result<Duration, String> {
    let wrong = || "must be a whole number of s, m or h, from 1s to 1h".to_owned();
    let (number, unit) = text
        .char_indices()
        .next_back()
        .map(|(at, unit)| (&text[..at], unit))
        .ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        _ => return Err(wrong()),
    };
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit());
    let number = number.parse::<u64>().ok().filter(|_| is_plain);
    let interval = number.and_then(|number| number.checked_mul(seconds));
    let interval = interval.map(Duration::from_secs).ok_or_else(wrong)?;
    if (LEAST..=MOST).contains(&interval) {
        Ok(interval)
    } else {
        Err(wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_a_number_with_its_unit_from_a_second_to_an_hour() {
        for (text, seconds) in [
            ("1s", 1),
            ("10s", 10),
            ("5m", 300),
            ("60m", 3_600),
            ("1h", 3_600),
        ] {
            assert_eq!(parse_interval(text), Ok(Duration::from_secs(seconds)));
        }
        for text in [
            "", "s", "10", "0s", "61m", "2h", "+5s", "1.5s", "10ms", "1d", "5é",
        ] {
            assert!(parse_interval(text).is_err(), "{text}");
        }
    }
}

//! Check digits of what is sold, paid with and given out by states.

/// The digits of a text, from left to right.
fn digits(text: &str) -> impl DoubleEndedIterator<Item = u32> {
    text.chars().filter_map(|c| c.to_digit(10))
}

/// Appends the check digit of GS1: EAN-8, EAN-13, UPC-A, ISBN-13.
pub(crate) fn with_gs1(body: &str) -> String {
    let sum: u32 = digits(body)
        .rev()
        .zip([3, 1].into_iter().cycle())
        .map(|(digit, weight)| digit * weight)
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// Appends the check digit of an ISBN-10 to nine digits.
pub(crate) fn with_isbn10(body: &str) -> String {
    let sum: u32 = digits(body)
        .zip(1..)
        .map(|(digit, weight)| digit * weight)
        .sum();
    let check = char::from_digit(sum % 11, 10).unwrap_or('X');
    format!("{body}{check}")
}

/// Appends a Luhn digit (ISO/IEC 7812-1).
pub(crate) fn with_luhn(body: &str) -> String {
    let sum: u32 = digits(body)
        .rev()
        .zip([2, 1].into_iter().cycle())
        .map(|(digit, weight)| digit * weight)
        .map(|product| product / 10 + product % 10)
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// Appends both check digits of a CPF to nine digits.
pub(crate) fn with_cpf(body: &str) -> String {
    with_brazilian(with_brazilian(body.to_owned(), 12), 12)
}

/// Appends both check digits of a CNPJ to twelve digits.
pub(crate) fn with_cnpj(body: &str) -> String {
    with_brazilian(with_brazilian(body.to_owned(), 9), 9)
}

/// Weights from the right: 2, 3, … up to `last`, and from 2 again.
fn with_brazilian(body: String, last: u32) -> String {
    let sum: u32 = digits(&body)
        .rev()
        .zip((2..=last).cycle())
        .map(|(digit, weight)| digit * weight)
        .sum();
    let check = match sum % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    };
    format!("{body}{check}")
}

/// An IBAN (ISO 13616): the country and its account with the check digits between them.
pub(crate) fn iban(country: &str, account: &str) -> String {
    let rest = format!("{account}{country}00").chars().fold(0, |rest, c| {
        let value = c.to_digit(36).expect("letters and digits");
        (rest * if value < 10 { 10 } else { 100 } + value) % 97
    });
    format!("{country}{:02}{account}", 98 - rest)
}

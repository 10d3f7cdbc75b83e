//! Identifiers that a state gives to a person.

use std::fmt;

use zeroize::Zeroizing;

use super::{ParseError, PiiType, owned, trimmed};
use crate::{Indexed, Indexing, Suite};

/// A number that a state gives to a person.
#[non_exhaustive]
pub enum NationalId {
    /// Brazil: Cadastro de Pessoas Físicas.
    BrazilianCpf(Cpf),
}

/// A Brazilian CPF: eleven digits, the last two of which check the others.
pub struct Cpf(Zeroizing<String>);

impl NationalId {
    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let Self::BrazilianCpf(cpf) = self;
        cpf.as_str()
    }
}

impl Cpf {
    /// Takes eleven digits, plain or as they are printed: `529.982.247-25`.
    ///
    /// # Errors
    /// [`ParseError`] when the check digits are wrong, or when all digits are the same: such
    /// numbers pass the check and are never given out.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let text = trimmed(text, MAX_BYTES)?;
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        if !plain && !is_printed_form(text) {
            return Err(INVALID);
        }
        let mut digits = Zeroizing::new(String::with_capacity(DIGITS));
        digits.extend(text.chars().filter(char::is_ascii_digit));
        if digits.len() == DIGITS && checks(digits.as_bytes()) {
            Ok(Self(digits))
        } else {
            Err(INVALID)
        }
    }

    /// The eleven digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PiiType for NationalId {
    const NAME: &'static str = "national-id";
    const EXPECTED: &'static str = "a CPF with valid check digits";
    const SUITE: Suite = Suite::Exact;
    const INDEXING: Option<Indexing<Self>> = Some(Indexing::new());

    fn parse(text: &str) -> Result<Self, ParseError> {
        Cpf::parse(text).map(Self::BrazilianCpf)
    }

    /// Eleven digits are a CPF; a variant to come needs a text that is not.
    fn restore(text: Zeroizing<String>) -> Self {
        Self::BrazilianCpf(Cpf(text))
    }

    fn text(&self) -> &str {
        self.as_str()
    }

    /// `***`: nothing of it. Nine of its digits make the other two, so that two that are shown are two
    /// fewer to guess.
    fn masked(&self) -> String {
        "***".to_owned()
    }
}

/// `cpf/1`: the eleven digits.
impl Indexed for NationalId {
    const NORMALISERS: &'static [&'static str] = &["cpf/1"];

    fn normaliser(&self) -> &'static str {
        match self {
            Self::BrazilianCpf(_) => "cpf/1",
        }
    }

    fn normalised(&self) -> Zeroizing<String> {
        owned(self.as_str())
    }
}

impl fmt::Debug for NationalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BrazilianCpf(_) => f.write_str("BrazilianCpf(…)"),
        }
    }
}

impl fmt::Debug for Cpf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cpf(…)")
    }
}

const INVALID: ParseError = ParseError::Invalid {
    expected: NationalId::EXPECTED,
};

const DIGITS: usize = 11;
const MAX_BYTES: usize = 14;

/// `000.000.000-00`
fn is_printed_form(text: &str) -> bool {
    text.len() == MAX_BYTES
        && text.bytes().enumerate().all(|(at, byte)| match at {
            3 | 7 => byte == b'.',
            11 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

/// Modulo 11 over the digits before each check digit, weighted down to 2 (Receita Federal).
fn checks(digits: &[u8]) -> bool {
    let check = |before: usize| {
        let weighted = digits[..before].iter().zip((2..=before + 1).rev());
        let sum: usize = weighted
            .map(|(digit, weight)| usize::from(digit - b'0') * weight)
            .sum();
        sum * 10 % 11 % 10
    };
    let all_same = digits.iter().all(|digit| *digit == digits[0]);
    !all_same
        && [9, 10]
            .into_iter()
            .all(|at| check(at) == usize::from(digits[at] - b'0'))
}

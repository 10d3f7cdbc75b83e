//! Field names that hide their value.

use std::collections::BTreeMap;

/// Field names that hide their value, whatever it is.
///
/// A rule matches a name that ends in it: `email` matches `user.email`, `customerEmail` and
/// `customer_email`, not `email_count`. Case and separators do not matter.
#[derive(Clone, Debug)]
pub(super) struct NameRules {
    /// Lower case, without separators, by their last character: a name is compared with few of them.
    endings: BTreeMap<char, Vec<String>>,
}

const SECRETS: &[&str] = &[
    "authorization",
    "proxy_authorization",
    "cookie",
    "set_cookie",
    "password",
    "password_hash",
    "passwd",
    "pwd",
    "passphrase",
    "secret",
    "pepper",
    "token",
    "jwt",
    "bearer",
    "api_key",
    "private_key",
    "secret_key",
    "credential",
    "credentials",
    "cvv",
    "cvc",
    "otp",
];

const PERSONAL: &[&str] = &[
    "email",
    "email_address",
    "e_mail",
    "mail",
    "phone",
    "phone_number",
    "telephone",
    "mobile",
    "msisdn",
    "first_name",
    "last_name",
    "full_name",
    "given_name",
    "family_name",
    "surname",
    "maiden_name",
    "birth_date",
    "birthdate",
    "birthday",
    "date_of_birth",
    "dob",
    "ssn",
    "social_security_number",
    "passport",
    "passport_number",
    "iban",
    "card",
    "card_number",
    "pan",
    "account_number",
    "street",
    "street_address",
    "home_address",
    "postal_address",
];

impl NameRules {
    pub(super) fn standard() -> Self {
        let mut rules = Self {
            endings: BTreeMap::new(),
        };
        for name in SECRETS.iter().chain(PERSONAL) {
            rules.add(name);
        }
        rules
    }

    pub(super) fn add(&mut self, name: &str) {
        let ending: String = name
            .chars()
            .filter(|c| !is_separator(*c))
            .flat_map(char::to_lowercase)
            .collect();
        if let Some(last) = ending.chars().next_back() {
            self.endings.entry(last).or_default().push(ending);
        }
    }

    pub(super) fn matches(&self, name: &str) -> bool {
        // An error's chain of causes is recorded beside the error under this suffix.
        let name = name.strip_suffix(".chain").unwrap_or(name);
        let Some(last) = name.chars().next_back() else {
            return false;
        };
        let endings = self.endings.get(&last.to_ascii_lowercase());
        endings.is_some_and(|endings| endings.iter().any(|ending| ends_in(name, ending)))
    }
}

fn ends_in(name: &str, ending: &str) -> bool {
    let mut left = name.char_indices().rev().filter(|(_, c)| !is_separator(*c));
    let mut first = name.len();
    for expected in ending.chars().rev() {
        match left.next() {
            Some((index, c)) if c.to_ascii_lowercase() == expected => first = index,
            _ => return false,
        }
    }
    let starts_upper = name[first..].starts_with(char::is_uppercase);
    name[..first]
        .chars()
        .next_back()
        .is_none_or(|before| is_separator(before) || (starts_upper && !before.is_uppercase()))
}

fn is_separator(c: char) -> bool {
    matches!(c, '_' | '-' | '.' | ' ' | ':')
}

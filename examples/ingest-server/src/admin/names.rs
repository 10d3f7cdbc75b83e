//! Names that an operator gives: what could be mistaken for something else is refused, in words that
//! repeat nothing of it.

use portcullis_pii_detect::Detector;

/// Stands for the tenant of what concerns none.
pub(super) const SYSTEM: &str = "system";

/// The longest name of a tenant.
const MAX_LENGTH: usize = 128;

/// Digits alone beyond this may be a phone number or a document's.
const MAX_NUMBER: usize = 6;

/// Letters and digits in one piece from this length on are taken for a secret: a token, a hash, a
/// key in hexadecimal or base64. A UUID, whose parts are shorter, is none. With capital letters among
/// them, fewer make one.
const SECRET_LENGTH: usize = 32;
const MIXED_SECRET_LENGTH: usize = 20;

/// Names of tenants that mean something else; those of metrics begin with `_`.
const RESERVED: [&str; 3] = [SYSTEM, "anonymous", "nobody"];

/// The name of a tenant as the audit log has it: one that was given before names were checked may
/// be anything.
pub(super) fn recorded(name: Option<&str>) -> Option<&str> {
    name.filter(|name| check(name).is_ok())
}

/// The name of a tenant that is new. Metrics, logs and the audit log will show it for good.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check(name: &str) -> Result<(), &'static str> {
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b':' | b'/' | b'-');
    if name.is_empty() || name.len() > MAX_LENGTH {
        return Err("a name has 1 to 128 characters");
    }
    if Detector::standard().first_kind(name).is_some() {
        return Err("it looks like personal data or a key; name the tenant by an id of yours");
    }
    if RESERVED.iter().any(|word| name.eq_ignore_ascii_case(word)) || name.starts_with('_') {
        return Err("the name is reserved");
    }
    if !name.bytes().all(is_plain) || !name.as_bytes()[0].is_ascii_alphanumeric() {
        return Err("a name is made of A-Z a-z 0-9 . _ : / - and begins with a letter or a digit");
    }
    if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err("a name has no empty part, `.` or `..` between slashes");
    }
    if name.len() > MAX_NUMBER && !name.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return Err("digits alone may be somebody's number; begin with a word");
    }
    let mut parts =
        name.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    if parts.any(is_secret) {
        return Err("it looks like a secret; name the tenant by an id of yours");
    }
    Ok(())
}

fn is_secret(part: &str) -> bool {
    let has = |test: fn(&u8) -> bool| part.as_bytes().iter().any(test);
    let is_mixed = has(u8::is_ascii_uppercase);
    let longest = if is_mixed {
        MIXED_SECRET_LENGTH
    } else {
        SECRET_LENGTH
    };
    part.len() >= longest && has(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_an_operators_own_are_names() {
        for name in [
            "acme",
            "Acme",
            "tenant-7",
            "t1",
            "7",
            "123456",
            "eu-west/acme",
            "urn:acme:7",
            "acme.example",
            "018f0c3e-7b1a-7c3d-9e5f-0a1b2c3d4e5f",
            "a-name-of-many-words-that-is-longer-than-most",
            "averylongcompanynamewithoutanydigitsinit",
            &"a".repeat(128),
        ] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn what_could_be_mistaken_for_something_else_is_no_name() {
        for (name, part) in [
            ("", "1 to 128"),
            (&"a".repeat(129), "1 to 128"),
            ("ada@example.com", "personal data"),
            ("ada%40example.com", "personal data"),
            ("+442079460958", "personal data"),
            ("4111111111111111", "personal data"),
            ("123456789", "somebody's number"),
            ("2026-11-25", "somebody's number"),
            (
                "pcl_live_wrvbIs64wM9D00107W2ewL_ZaRdstVaoYBojfacml5dG7HdM6xoTU5ilVQrSGX3H1L2sp9Kg",
                "key",
            ),
            ("AKIAIOSFODNN7EXAMPLE", "key"),
            (
                "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "secret",
            ),
            (
                "test-admin-token/0123456789abcdefghij0123456789abcdefghij",
                "secret",
            ),
            ("__other__", "reserved"),
            ("__unknown__", "reserved"),
            ("_", "reserved"),
            ("system", "reserved"),
            ("SYSTEM", "reserved"),
            ("acme corp", "made of"),
            ("acme%20corp", "made of"),
            ("acm%65", "made of"),
            ("acme\n", "made of"),
            ("acme\u{0}", "made of"),
            ("acme\u{7f}", "made of"),
            ("\u{430}cme", "made of"),
            ("acme\u{200b}", "made of"),
            ("\u{ff41}cme", "made of"),
            ("a\u{301}cme", "made of"),
            ("<b>acme</b>", "made of"),
            ("acme'--", "made of"),
            ("-acme", "made of"),
            (".", "made of"),
            ("/acme", "made of"),
            ("acme/../other", "empty part"),
            ("acme//other", "empty part"),
            ("acme/", "empty part"),
        ] {
            let why = check(name).expect_err(name);
            assert!(why.contains(part), "{name}: {why}");
            assert!(name.len() < 2 || !why.contains(name), "{name}: {why}");
        }
    }
}

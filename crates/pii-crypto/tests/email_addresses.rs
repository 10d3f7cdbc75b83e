//! E-mail addresses against the Python package email-validator: what it takes is taken, what it refuses
//! is refused, and normal forms are those that `scripts/email-fixtures` computes by itself. Where it is
//! otherwise, this file says why.

use portcullis_pii_crypto::{Email, Indexed, ParseError, PiiType};

const FIXTURES: &str = include_str!("data/email-validator.json");

/// A kind of address on which the two differ.
struct Difference {
    reason: &'static str,
    is_taken: bool,
    applies: fn(local: &str, domain: &str) -> bool,
}

const DIFFERENCES: [Difference; 5] = [
    Difference {
        reason: "white space around an address is no part of it: forms send it",
        is_taken: true,
        applies: |local, domain| {
            local.starts_with(char::is_whitespace) || domain.ends_with(char::is_whitespace)
        },
    },
    Difference {
        reason: "IDNA has joiners in a label where letters join (RFC 5892, A.1 and A.2)",
        is_taken: true,
        applies: |_, domain| domain.contains(['\u{200c}', '\u{200d}']),
    },
    Difference {
        reason: "the local part has 64 bytes (RFC 5321, 4.5.3.1.1); the package counts only when strict, and characters",
        is_taken: false,
        applies: |local, _| local.len() > 64,
    },
    Difference {
        reason: "a full-width form of a character that needs quoting, or of a dot in a wrong place",
        is_taken: false,
        applies: |local, _| {
            local.starts_with('．')
                || local.ends_with('．')
                || local.contains("．．")
                || local.contains([
                    '＂', '（', '）', '，', '：', '；', '＜', '＞', '＠', '［', '＼', '］',
                ])
        },
    },
    Difference {
        reason: "nobody sees it, though its category is that of letters, marks or symbols",
        is_taken: false,
        applies: |local, domain| {
            [local, domain].concat().contains(|char: char| {
                matches!(char,
                    '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{180b}' | '\u{2800}'
                    | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fffc}' | '\u{fffd}'
                    | '\u{1d159}' | '\u{e0100}'..='\u{e01ef}')
            })
        },
    },
];

fn fixtures() -> Vec<(String, Option<String>)> {
    serde_json::from_str(FIXTURES).expect("a list of addresses with their normal forms")
}

fn normal(address: &str) -> Result<String, ParseError> {
    Email::parse(address).map(|email| email.normalised().to_string())
}

#[test]
fn what_email_validator_says_of_an_address_is_what_is_said_here() {
    let mut seen = [0; DIFFERENCES.len()];
    let mut wrong = Vec::new();
    let fixtures = fixtures();
    for (address, theirs) in &fixtures {
        let ours = normal(address).ok();
        if ours == *theirs {
            continue;
        }
        let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
        let known = DIFFERENCES.iter().position(|difference| {
            difference.is_taken == ours.is_some()
                && theirs.is_some() != ours.is_some()
                && (difference.applies)(local, domain)
        });
        match known {
            Some(at) => seen[at] += 1,
            None => wrong.push(format!("{address:?}: {theirs:?}, here {ours:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let taken = fixtures.iter().filter(|(_, theirs)| theirs.is_some());
    assert!(taken.count() > 3_000 && fixtures.len() > 4_000);
    for (difference, seen) in DIFFERENCES.iter().zip(seen) {
        assert!(seen > 0, "no address shows that {}", difference.reason);
    }
}

#[test]
fn the_normaliser_goes_by_the_normal_form() {
    for (address, _) in fixtures() {
        let Ok(email) = Email::parse(&address) else {
            continue;
        };
        let normal = email.normalised();
        let expected = if normal.is_ascii() {
            "email/1"
        } else {
            "email/2"
        };
        assert_eq!(email.normaliser(), expected, "{address}");
        assert_eq!(
            Email::restore(normal.clone()).normalised(),
            normal,
            "{address}"
        );
        if address.is_ascii() {
            assert!(email.former().is_empty(), "{address}");
        }
    }
}

/// Another person must not be found by a former form: nor, with the rule of the earlier version, can one
/// have been stored under it.
#[test]
fn each_former_form_is_a_spelling_of_the_same_address() {
    let mut checked = 0;
    for (address, _) in fixtures() {
        let Ok(email) = Email::parse(&address) else {
            continue;
        };
        let (name, normal) = (email.normaliser(), email.normalised());
        for (former_name, form) in email.former() {
            assert_eq!(former_name, "email/1");
            assert_ne!((former_name, &form), (name, &normal), "{address}");
            let (local, _) = form.rsplit_once('@').expect("an address");
            assert!(
                !local.is_ascii(),
                "{address}: {form:?} is a current form of another"
            );
            assert_eq!(
                Email::restore(form.clone()).normalised(),
                normal,
                "{address}"
            );
            checked += 1;
        }
    }
    assert!(checked > 1_000, "{checked}");
}

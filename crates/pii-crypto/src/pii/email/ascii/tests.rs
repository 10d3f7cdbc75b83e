//! The short way against the rules for every script.

use proptest::prelude::*;

use super::*;
use crate::{Email, Indexed as _, PiiType as _};

/// Whether it is taken; what is, has to be taken in the same form without the short way.
fn is_taken_alike(text: &str) -> bool {
    let long_way = Email::parse_any_script(text);
    if is_plain_address(text) {
        let email = long_way.as_ref().expect("every rule takes it");
        assert_eq!(email.normaliser(), "email/1");
        assert_eq!(email.normalised_any_script(), email.normalised());
        assert!(email.former().is_empty());
    }
    long_way.is_ok()
}

#[test]
fn the_usual_address_goes_the_short_way() {
    for address in [
        "john.smith+a1@example.com",
        "JOHN@EXAMPLE.COM",
        "o'brien_{x}@a-b.co",
        "1@1.x",
        "a@b3.com1a",
    ] {
        assert!(
            is_plain_address(address) && is_taken_alike(address),
            "{address}"
        );
    }
}

#[test]
fn what_idna_looks_into_or_refuses_does_not() {
    for address in [
        "a@xn--bcher-kva.example",
        "a@XN--bcher-kva.example",
        "a@ab--c.example",
        "a@-a.example",
        "a@a-.example",
        "a@a..example",
        "a@.example",
        "a@example.com.",
        "a@example",
        "a@example.1",
        "a@exa_mple.com",
        "a@[127.0.0.1]",
        "a..b@example.com",
        "a b@example.com",
        "a@b@example.com",
        "@example.com",
        "a@",
        "ä@example.com",
        "a@ä.example",
        "a@example\u{3002}com",
    ] {
        assert!(!is_plain_address(address), "{address}");
        is_taken_alike(address);
    }
}

#[test]
fn bounds_are_those_of_the_long_way() {
    let labels = |lengths: &[usize]| {
        let label = |length: &usize| "b".repeat(*length);
        lengths.iter().map(label).collect::<Vec<_>>().join(".")
    };
    for (local, domain, is_taken) in [
        (64, labels(&[63, 63]), true),
        (65, labels(&[63, 63]), false),
        (1, labels(&[64, 63]), false),
        (1, labels(&[63, 64]), false),
        (62, labels(&[63, 63, 63]), true),
        (63, labels(&[63, 63, 63]), false),
        (1, labels(&[63, 63, 63, 60]), true),
        (1, labels(&[63, 63, 63, 61]), false),
    ] {
        let address = format!("{}@{domain}", "a".repeat(local));
        assert_eq!(is_plain_address(&address), is_taken, "{address}");
        assert_eq!(is_taken_alike(&address), is_taken, "{address}");
    }
}

/// Every domain of up to seven characters of those that a label is decided by.
#[test]
fn short_domains_are_taken_as_by_idna() {
    const LETTERS: [char; 5] = ['x', 'n', '1', '-', '.'];
    let mut plain = 0;
    for length in 0..=7 {
        for mut number in 0..LETTERS.len().pow(length) {
            let mut address = "a@".to_owned();
            for _ in 0..length {
                address.push(LETTERS[number % LETTERS.len()]);
                number /= LETTERS.len();
            }
            let is_plain = is_plain_address(&address);
            // Two hyphens in third and fourth place are left to IDNA, and nothing else is.
            let is_left = address.contains("--");
            assert!(is_taken_alike(&address) == is_plain || is_left, "{address}");
            plain += usize::from(is_plain);
        }
    }
    assert!(plain > 5_000, "{plain}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn ascii_is_taken_as_by_the_rules_for_every_script(address in "[ -~]{0,12}@[ -~]{0,12}") {
        prop_assert_eq!(Email::parse(&address).is_ok(), is_taken_alike(address.trim()));
    }

    #[test]
    fn what_is_nearly_an_address_is(
        address in "[a-zA-Z0-9.+!'_-]{1,66}@([a-zA-Z0-9-]{1,8}|[a-z]{62,64}|xn--[a-z0-9]{1,6})(\\.[a-zA-Z0-9-]{0,8}){1,4}"
    ) {
        prop_assert_eq!(Email::parse(&address).is_ok(), is_taken_alike(&address) && address.len() <= MAX_BYTES);
    }

    #[test]
    fn one_character_of_any_script_changes_nothing_of_it(
        before in "[a-z.]{0,5}", odd in any::<char>(), after in "[a-z.]{0,5}", at in any::<bool>(),
    ) {
        let odd = format!("{before}{odd}{after}");
        let address = if at { format!("{odd}@example.com") } else { format!("a@{odd}.example") };
        let trimmed = address.trim();
        prop_assert_eq!(Email::parse(&address).is_ok(), is_taken_alike(trimmed));
    }

    /// What was sealed by an earlier version is restored and not parsed.
    #[test]
    fn whatever_was_restored_has_one_normal_form(text in "[ -~]{0,6}@?[a-zA-Z0-9.-]{0,12}") {
        let email = Email::restore(zeroize::Zeroizing::new(text));
        prop_assert_eq!(email.normalised(), email.normalised_any_script());
    }
}

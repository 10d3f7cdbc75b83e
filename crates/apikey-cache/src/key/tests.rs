//! Which texts are keys, by known answers and for any text.

use proptest::prelude::*;

use super::*;
use crate::entropy::SystemEntropy;

/// Computed by `tests/oracle.py`; printed in `docs/formats.md`. It must never break.
const KNOWN_KEY: &str =
    "pcl_live_0123456789AB08HB5DldTJ_zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJ1VMFKK";

#[test]
fn the_known_key_parses() {
    let key = ApiKey::parse(KNOWN_KEY).unwrap();
    assert_eq!(key.kid().as_str(), "0123456789AB08HB5DldTJ");
    assert_eq!(key.secret(), b"zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJ");
    assert_eq!(key.hazmat_expose(), KNOWN_KEY);
    assert!(key.has_format(&KeyFormat::default()));
}

#[test]
fn the_known_key_is_assembled_from_its_parts() {
    let known = ApiKey::parse(KNOWN_KEY).unwrap();
    let secret = known.secret().try_into().unwrap();
    let key = ApiKey::assemble(&KeyFormat::default(), *known.kid(), &secret);
    assert_eq!(key.hazmat_expose(), KNOWN_KEY);
}

#[test]
fn each_part_that_is_wrong_is_refused() {
    let refused = |text: &str| ApiKey::parse(text).map(drop).unwrap_err();
    let changed = |from: &str, to: &str| refused(&KNOWN_KEY.replacen(from, to, 1));
    assert_eq!(refused(""), MalformedKey::Length);
    assert_eq!(refused(&"a".repeat(75)), MalformedKey::Length);
    assert_eq!(refused(&"a".repeat(107)), MalformedKey::Length);
    assert_eq!(changed("pcl_", "pcl-"), MalformedKey::Form);
    assert_eq!(changed("pcl_", "_"), MalformedKey::Form);
    assert_eq!(changed("pcl_", "Pcl_"), MalformedKey::Form);
    assert_eq!(changed("pcl_", "1cl_"), MalformedKey::Form);
    assert_eq!(changed("pcl_", "p_cl_"), MalformedKey::Form);
    assert_eq!(changed("live_", "livex"), MalformedKey::Form);
    assert_eq!(changed("zyxw", "zy-w"), MalformedKey::Form);
    assert_eq!(changed("zyxw", "zywx"), MalformedKey::Checksum);
    assert_eq!(changed("pcl_", "pcx_"), MalformedKey::Checksum);
}

#[test]
fn length_bounds_are_as_documented() {
    let length = |prefix: &str, env: &str| {
        let format = KeyFormat::new(prefix, env).unwrap();
        let key = ApiKey::assemble(&format, Kid::from_bytes(&[b'k'; 22]).unwrap(), &[b's'; 43]);
        let text = key.hazmat_expose();
        assert!(ApiKey::parse(text).unwrap().has_format(&format));
        text.len()
    };
    assert_eq!(length("p", "e"), 76);
    assert_eq!(length("pcl", "live"), 81);
    assert_eq!(length(&"p".repeat(16), &"e".repeat(16)), 106);
    assert!(KeyFormat::new(&"p".repeat(17), "e").is_err());
    assert!(KeyFormat::new("", "e").is_err() && KeyFormat::new("p", "").is_err());
}

#[test]
fn a_key_of_another_format_parses_but_differs() {
    let key = ApiKey::parse(KNOWN_KEY).unwrap();
    for (prefix, env) in [("pcl", "test"), ("pc", "llive"), ("xcl", "live")] {
        assert!(!key.has_format(&KeyFormat::new(prefix, env).unwrap()));
    }
}

#[test]
fn debug_shows_the_kid_alone() {
    let key = ApiKey::parse(KNOWN_KEY).unwrap();
    let secret = &KNOWN_KEY[32..];
    let shown = format!("{key:?}");
    assert!(shown.contains(key.kid().as_str()) && !shown.contains(&secret[..8]));
}

proptest! {
    #[test]
    fn any_text_is_refused_or_parsed_without_a_panic(text in "\\PC{0,120}|[0-9a-zA-Z_]{76,106}") {
        prop_assert!(ApiKey::parse(&text).is_err());
    }

    #[test]
    fn any_bytes_in_place_of_a_part_are_refused(at in 0..KNOWN_KEY.len(), bytes: Vec<u8>) {
        let mut text = KNOWN_KEY.as_bytes().to_vec();
        text.splice(at..(at + bytes.len()).min(KNOWN_KEY.len()), bytes);
        if let Ok(text) = str::from_utf8(&text) {
            prop_assert_eq!(ApiKey::parse(text).is_ok(), text == KNOWN_KEY);
        }
    }

    #[test]
    fn every_typing_error_of_one_character_is_found(
        at in 0..KNOWN_KEY.len(),
        typed in prop::char::any(),
    ) {
        let mut text: Vec<char> = KNOWN_KEY.chars().collect();
        text[at] = typed;
        let text: String = text.into_iter().collect();
        prop_assert_eq!(ApiKey::parse(&text).is_ok(), text == KNOWN_KEY);
    }

    #[test]
    fn two_characters_in_the_wrong_order_are_found(at in 0..KNOWN_KEY.len() - 1) {
        let mut text = KNOWN_KEY.as_bytes().to_vec();
        text.swap(at, at + 1);
        let text = String::from_utf8(text).unwrap();
        prop_assert_eq!(ApiKey::parse(&text).is_ok(), text == KNOWN_KEY);
    }

    #[test]
    fn a_key_that_was_made_parses_to_itself(
        prefix in "[a-z][a-z0-9]{0,15}",
        env in "[a-z][a-z0-9]{0,15}",
    ) {
        let format = KeyFormat::new(&prefix, &env).unwrap();
        let kid = Kid::from_bytes(&*base62::make_text::<22>(&SystemEntropy).unwrap()).unwrap();
        let made = ApiKey::make(&SystemEntropy, &format, kid).unwrap();
        let parsed = ApiKey::parse(made.hazmat_expose()).unwrap();
        prop_assert_eq!(parsed.hazmat_expose(), made.hazmat_expose());
        prop_assert_eq!(parsed.secret(), made.secret());
        prop_assert_eq!(parsed.kid(), &kid);
        prop_assert!(parsed.has_format(&format));
    }
}

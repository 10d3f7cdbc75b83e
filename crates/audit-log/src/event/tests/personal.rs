//! What lies beside the log, and what commits to it.

use proptest::prelude::*;

use crate::event::{Commitment, InvalidPersonal, Personal, PersonalText, Salt};

const SALT: [u8; 16] = [9; 16];

fn typed(text: &str) -> Result<Personal, InvalidPersonal> {
    let text = PersonalText {
        text: Some(text),
        ..PersonalText::default()
    };
    Personal::new(Salt::from_bytes(SALT), &text)
}

#[test]
fn what_is_not_known_is_left_out() {
    let json = |text: PersonalText<'_>| {
        let personal = Personal::new(Salt::from_bytes(SALT), &text).unwrap();
        personal.json().to_owned()
    };
    assert_eq!(json(PersonalText::default()), "{}");
    let address = "2001:db8::1".parse().ok();
    let known = PersonalText {
        address,
        ..PersonalText::default()
    };
    assert_eq!(json(known), r#"{"ip":"2001:db8::1"}"#);
    let known = PersonalText {
        text: Some("a"),
        ..known
    };
    assert_eq!(json(known), r#"{"ip":"2001:db8::1","text":"a"}"#);
}

#[test]
fn a_personal_part_is_4096_bytes_at_most() {
    let rest = Salt::BYTES + r#"{"text":""}"#.len();
    assert!(typed(&"x".repeat(4096 - rest)).is_ok());
    let found = 4097;
    assert_eq!(
        typed(&"x".repeat(4097 - rest)).unwrap_err(),
        InvalidPersonal::TooLong { found }
    );
}

#[test]
fn what_has_no_salt_or_no_text_is_none() {
    let parse = |bytes: Vec<u8>| Personal::from_bytes(bytes).err();
    assert_eq!(parse(vec![0; 15]), Some(InvalidPersonal::Malformed));
    assert_eq!(parse(vec![0xff; 17]), Some(InvalidPersonal::Malformed));
    assert_eq!(parse(vec![0xff; 16]), None);
}

#[test]
fn nothing_of_it_is_printed() {
    let personal = typed("customer called").unwrap();
    let said = format!("{personal:?} {:?}", Salt::from_bytes(SALT));
    assert_eq!(said, "Personal { .. } Salt { .. }");
}

#[test]
fn a_commitment_has_one_spelling() {
    let text = "Xy7OS1rx35-NECy0ym9_5UCiZdZj9ttYKUXE8q7V550";
    assert_eq!(Commitment::parse(text).unwrap().to_string(), text);
    for other in [
        "Xy7OS1rx35-NECy0ym9_5UCiZdZj9ttYKUXE8q7V551",
        "Xy7OS1rx35+NECy0ym9/5UCiZdZj9ttYKUXE8q7V550",
        "Xy7OS1rx35-NECy0ym9_5UCiZdZj9ttYKUXE8q7V550=",
        "Xy7OS1rx35-NECy0ym9_5UCiZdZj9ttYKUXE8q7V55",
        "",
    ] {
        assert_eq!(Commitment::parse(other), None, "{other}");
    }
}

#[test]
fn every_control_character_is_escaped() {
    for byte in 0_u8..0x20 {
        let personal = typed(&char::from(byte).to_string()).unwrap();
        assert_eq!(personal.json(), format!("{{\"text\":\"\\u{byte:04x}\"}}"));
    }
    assert_eq!(
        typed("\"\\/\u{7f}é").unwrap().json(),
        "{\"text\":\"\\\"\\\\/\u{7f}é\"}"
    );
}

proptest! {
    #[test]
    fn any_text_is_json_that_says_it(text in "(.|[\"\\\\\u{0}-\u{1f}\u{7f}]){0,100}") {
        let personal = typed(&text).unwrap();
        let json: serde_json::Value = serde_json::from_str(personal.json()).unwrap();
        prop_assert_eq!(json["text"].as_str(), Some(text.as_str()));
    }

    #[test]
    fn a_change_of_salt_or_text_is_found(at in any::<prop::sample::Index>(), bit in 0_u8..7) {
        let personal = typed("customer called").unwrap();
        let commitment = personal.commitment();
        prop_assert_eq!(commitment.verify(&personal), Ok(()));
        let mut bytes = personal.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let changed = Personal::from_bytes(bytes).unwrap();
        prop_assert_eq!(commitment.verify(&changed), Err(InvalidPersonal::Changed));
    }
}

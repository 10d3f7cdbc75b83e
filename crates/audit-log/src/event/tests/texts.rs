//! Ids, times and words: what has their form, and what does not.

use proptest::prelude::*;

use super::NoJane;
use crate::event::{
    Activity, ActorType, Delivery, EventId, Id, InvalidId, Outcome, SpanId, Timestamp, TraceId,
};

#[test]
fn an_id_is_a_pseudonym_and_no_value() {
    let parse = |text: &str| Id::parse(text, &NoJane).map(|id| id.as_str().to_owned());
    let longest = "x".repeat(128);
    for text in [
        "k7Qm2ZpX",
        "tenant-7",
        "a:b/c_d.e",
        "123456",
        "1234567a",
        longest.as_str(),
    ] {
        assert_eq!(parse(text).as_deref(), Ok(text));
    }
    let too_long = "x".repeat(129);
    for text in [
        "",
        "a b",
        "a@b",
        "a\"b",
        "a\\b",
        "é",
        "a\n",
        "+491711234567",
        too_long.as_str(),
    ] {
        assert_eq!(parse(text), Err(InvalidId::Malformed), "{text}");
    }
    assert_eq!(parse("1234567"), Err(InvalidId::Number));
    assert_eq!(parse("4111111111111111"), Err(InvalidId::Number));
    assert_eq!(parse("Jane.Doe"), Err(InvalidId::Personal));
}

#[test]
fn a_refusal_does_not_repeat_the_text() {
    for text in ["jane@example.com", "jane", "4111111111111111"] {
        let error = Id::parse(text, &NoJane).unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(!said.contains("jane") && !said.contains("4111"), "{said}");
    }
}

#[test]
fn an_event_id_is_a_uuid_of_version_7() {
    // The timestamp of the example in RFC 9562, A.6, and its random bits.
    let time = Timestamp::parse("2022-02-22T19:22:22.000000Z").unwrap();
    let random = [0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f];
    let id = EventId::new(time, random);
    assert_eq!(id.to_string(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    assert_eq!(EventId::parse(&id.to_string()), Some(id));
    for other in [
        "",
        "017f22e2-79b0-4cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-c8c4-dc0c0c07398f",
        "017F22E2-79b0-7cc3-98c4-dc0c0c07398f",
        "017f22e279b07cc398c4dc0c0c07398f",
        "017f22e-279b0-7cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398-",
    ] {
        assert_eq!(EventId::parse(other), None, "{other}");
    }
}

#[test]
fn traces_and_spans_are_not_all_zero() {
    let text = "4bf92f3577b34da6a3ce929d0e0e4736";
    assert_eq!(TraceId::parse(text).unwrap().to_string(), text);
    assert_eq!(TraceId::parse(&"0".repeat(32)), None);
    assert_eq!(TraceId::parse(&text.to_uppercase()), None);
    assert_eq!(
        SpanId::parse("00f067aa0ba902b7").unwrap().to_string(),
        "00f067aa0ba902b7"
    );
    assert_eq!(SpanId::parse(text), None);
    assert_eq!(SpanId::parse("00f067aa0ba902b"), None);
}

#[test]
fn a_time_has_one_spelling() {
    for (micros, text) in [
        (0, "1970-01-01T00:00:00.000000Z"),
        (951_782_400_000_001, "2000-02-29T00:00:00.000001Z"),
        (1_767_323_045_678_901, "2026-01-02T03:04:05.678901Z"),
        (4_107_542_399_999_999, "2100-02-28T23:59:59.999999Z"),
        (Timestamp::MAX.unix_micros(), "9999-12-31T23:59:59.999999Z"),
    ] {
        let time = Timestamp::from_unix_micros(micros).unwrap();
        assert_eq!(time.to_string(), text);
        assert_eq!(Timestamp::parse(text), Some(time));
    }
    for text in [
        "2026-02-29T00:00:00.000000Z",
        "2100-02-29T00:00:00.000000Z",
        "2026-04-31T00:00:00.000000Z",
        "2026-13-01T00:00:00.000000Z",
        "2026-00-01T00:00:00.000000Z",
        "2026-01-00T00:00:00.000000Z",
        "1969-12-31T23:59:59.999999Z",
        "2026-01-01T24:00:00.000000Z",
        "2026-01-01T00:60:00.000000Z",
        "2026-01-01T00:00:60.000000Z",
        "2026-01-01T00:00:00.000Z",
        "2026-01-01 00:00:00.000000Z",
        "2026-01-01T00:00:00.000000+",
        "2026-01-01T00:00:00.00000eZ",
    ] {
        assert_eq!(Timestamp::parse(text), None, "{text}");
    }
    let after = Timestamp::MAX.unix_micros() + 1;
    assert_eq!(Timestamp::from_unix_micros(after), None);
}

#[test]
fn every_word_is_read_again_and_no_other() {
    assert!(
        Activity::ALL
            .iter()
            .all(|word| Activity::from_word(word.as_str()) == Some(*word))
    );
    assert!(
        ActorType::ALL
            .iter()
            .all(|word| ActorType::from_word(word.as_str()) == Some(*word))
    );
    assert!(
        Outcome::ALL
            .iter()
            .all(|word| Outcome::from_word(word.as_str()) == Some(*word))
    );
    assert!(
        Delivery::ALL
            .iter()
            .all(|word| Delivery::from_word(word.as_str()) == Some(*word))
    );
    assert_eq!(Outcome::from_word("Success"), None);
}

proptest! {
    #[test]
    fn times_are_those_that_they_were(micros in 0..=Timestamp::MAX.unix_micros()) {
        let time = Timestamp::from_unix_micros(micros).unwrap();
        prop_assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
    }

    #[test]
    fn times_are_in_the_order_of_their_texts(one in 0..=Timestamp::MAX.unix_micros(), other in 0..=Timestamp::MAX.unix_micros()) {
        let [one, other] = [one, other].map(|micros| Timestamp::from_unix_micros(micros).unwrap());
        prop_assert_eq!(one.cmp(&other), one.to_string().cmp(&other.to_string()));
    }
}

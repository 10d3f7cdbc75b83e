//! The shape and the text form of sealed values.

use proptest::prelude::*;

use super::*;
use crate::Email;

type Parsed = Result<Sealed<Email>, MalformedSealed>;

fn shaped(suite: u8, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    bytes
        .iter_mut()
        .zip([MAGIC, suite, 1, 2, 3, 4])
        .for_each(|(to, byte)| *to = byte);
    bytes
}

#[test]
fn what_has_the_shape_is_taken_and_given_back() {
    for (suite, len) in [
        (1, 58),
        (1, 59),
        (1, 58 + 65_536),
        (2, 58 + 32),
        (2, 58 + 65_568),
    ] {
        let sealed: Parsed = Sealed::from_bytes(shaped(suite, len));
        let sealed = sealed.expect("it has the shape");
        assert_eq!(sealed.key_id(), KeyId::new(0x0102_0304));
        assert_eq!(sealed.as_bytes(), shaped(suite, len));
        assert_eq!(sealed.into_bytes(), shaped(suite, len));
    }
}

#[test]
fn what_does_not_have_the_shape_is_refused() {
    let too_long = 58 + 65_537;
    for (suite, len) in [
        (1, 0),
        (1, 57),
        (1, too_long),
        (2, 58),
        (2, 58 + 33),
        (2, 58 + 65_600),
        (0, 99),
        (3, 99),
    ] {
        let sealed: Parsed = Sealed::from_bytes(shaped(suite, len));
        assert_eq!(sealed, Err(MalformedSealed), "suite {suite}, {len} bytes");
    }
    let mut other_magic = shaped(1, 99);
    other_magic[0] = 0xfa;
    let sealed: Parsed = Sealed::from_bytes(other_magic);
    assert_eq!(sealed, Err(MalformedSealed));
}

#[test]
fn the_text_made_at_once_is_that_of_display() {
    for len in 58..130 {
        let sealed: Parsed = Sealed::from_bytes(shaped(1, len));
        let sealed = sealed.expect("it has the shape");
        let text = sealed.to_text();
        assert_eq!(text, sealed.to_string());
        assert_eq!(text.len(), text.capacity(), "{len} bytes");
        assert_eq!(text.parse(), Ok(sealed));
    }
}

#[test]
fn the_first_byte_is_never_text() {
    assert!(std::str::from_utf8(&[MAGIC]).is_err());
    assert!(std::str::from_utf8(&[MAGIC, 0x80, 0x80, 0x80]).is_err());
}

#[test]
fn one_value_has_one_text() {
    let sealed: Parsed = Sealed::from_bytes(shaped(1, 59));
    let sealed = sealed.expect("it has the shape");
    let text = sealed.to_string();
    assert_eq!(text.parse(), Ok(sealed));
    let (body, last) = text.split_at(text.len() - 1);
    for other in [
        text.replace("pc1.", ""),
        text.replace("pc1.", "PC1."),
        text.replace("pc1.", "pc2."),
        format!("{text}="),
        format!("{text} "),
        format!(" {text}"),
        format!("{text}AA"),
        // The last character carries bits that no byte has.
        format!("{body}{}", if last == "B" { "C" } else { "B" }),
        text.replacen('A', "+", 1),
        String::new(),
    ] {
        let parsed: Parsed = other.parse();
        assert_eq!(parsed, Err(MalformedSealed), "{other}");
    }
}

#[test]
fn serde_uses_the_text_and_errors_do_not_repeat_it() {
    let sealed: Parsed = Sealed::from_bytes(shaped(2, 58 + 32));
    let sealed = sealed.expect("it has the shape");
    let json = serde_json::to_string(&sealed).expect("it serialises");
    assert_eq!(json, format!("\"{sealed}\""));
    let read: Sealed<Email> = serde_json::from_str(&json).expect("it is read back");
    assert_eq!(read, sealed);

    let plain = serde_json::from_str::<Sealed<Email>>("\"john.smith@example.com\"");
    let error = plain.expect_err("it is not sealed").to_string();
    assert!(!error.contains("john"), "{error}");
}

proptest! {
    #[test]
    fn bytes_are_taken_whole_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let parsed: Parsed = Sealed::from_bytes(bytes.clone());
        if let Ok(sealed) = parsed {
            prop_assert_eq!(sealed.as_bytes(), &bytes);
        }
    }

    #[test]
    fn texts_are_read_back_exactly(rest in proptest::collection::vec(any::<u8>(), 56..300)) {
        let bytes = [&[MAGIC, 1], &rest[..]].concat();
        let sealed: Parsed = Sealed::from_bytes(bytes);
        let sealed = sealed.expect("it has the shape");
        prop_assert_eq!(sealed.to_string().parse(), Ok(sealed));
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(pc1\\.)?[A-Za-z0-9_=+-]{0,120}") {
        let parsed: Parsed = text.parse();
        if let Ok(sealed) = parsed {
            prop_assert_eq!(sealed.to_string(), text);
        }
    }
}

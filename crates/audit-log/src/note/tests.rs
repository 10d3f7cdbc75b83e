//! Notes: who signed what, and what is no note.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::prelude::*;
use ring::signature::Ed25519KeyPair;
use secrecy::SecretBox;

use super::*;
use crate::{checkpoint::Checkpoint, event::Timestamp, tree::TreeHash};

fn seed(byte: u8) -> SecretBox<[u8; 32]> {
    SecretBox::new(Box::new([byte; 32]))
}

fn key(name: &str, byte: u8) -> SigningKey {
    SigningKey::from_seed(name.parse().unwrap(), &seed(byte)).unwrap()
}

fn witness(name: &str, byte: u8) -> CosigningKey {
    CosigningKey::from_seed(name.parse().unwrap(), &seed(byte)).unwrap()
}

const TEXT: &str = "first line\n\nlast line\n";

#[test]
fn the_example_of_the_specification_is_verified() {
    // C2SP signed-note, "Verifier keys", "Example".
    let key = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    let note = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    let keys = [key.parse::<VerifyingKey>().unwrap()];
    assert_eq!(keys[0].to_string(), key);
    let note = SignedNote::parse(note.as_bytes()).unwrap();
    let (text, by) = note.verify(&keys).unwrap();
    assert_eq!((text, by.len()), ("This is an example message.\n", 1));
}

#[test]
fn a_note_is_signed_by_several_keys_and_read_again() {
    let (one, other) = (key("example.com/a", 1), key("example.com/a", 2));
    let note = SignedNote::new(TEXT, vec![one.sign(TEXT), other.sign(TEXT)]).unwrap();
    assert_eq!(
        SignedNote::parse(note.to_string().as_bytes()).as_ref(),
        Ok(&note)
    );
    let keys = [other.verifying_key().clone(), one.verifying_key().clone()];
    let (text, by) = note.verify(&keys).unwrap();
    assert_eq!(text, TEXT);
    let by: Vec<_> = by.iter().map(|by| by.key).collect();
    assert_eq!(by, [&keys[1], &keys[0]]);
    let (_, by) = note.verify(&keys[..1]).unwrap();
    assert_eq!(by.len(), 1);
}

#[test]
fn lines_of_unknown_keys_are_kept_and_ignored() {
    let signer = key("example.com/a", 1);
    let note = SignedNote::new(TEXT, vec![signer.sign(TEXT)]).unwrap();
    // As long as one of ML-DSA-44 with its time.
    let unknown = base64_of(&[7; 4 + 8 + 2_420]);
    let text =
        format!("{note}\u{2014} example.com/a {unknown}\n\u{2014} other.example {unknown}\n");
    let note = SignedNote::parse(text.as_bytes()).unwrap();
    assert_eq!(note.to_string(), text);
    assert_eq!(note.signatures().len(), 3);
    let keys = [signer.verifying_key().clone()];
    assert_eq!(note.verify(&keys).unwrap().1.len(), 1);
    let stranger = [key("example.com/a", 2).verifying_key().clone()];
    assert_eq!(note.verify(&stranger), Err(UnverifiedNote::NoKnownKey));
    assert_eq!(note.verify(&[]), Err(UnverifiedNote::NoKnownKey));
}

#[test]
fn one_wrong_line_of_a_known_key_is_enough_to_refuse() {
    let (one, other) = (key("example.com/a", 1), key("example.com/b", 2));
    let signatures = vec![one.sign(TEXT), other.sign("something else\n")];
    let note = SignedNote::new(TEXT, signatures).unwrap();
    let keys = [one.verifying_key().clone(), other.verifying_key().clone()];
    assert_eq!(
        note.verify(&keys),
        Err(UnverifiedNote::WrongSignature { line: 2 })
    );
    assert!(note.verify(&keys[..1]).is_ok());
}

#[test]
fn a_witness_signs_a_time_and_a_log_does_not() {
    let (log, witness) = (key("example.com/a", 1), witness("example.com/a", 1));
    // One key under one name is two keys by their types.
    assert_ne!(log.verifying_key().id(), witness.verifying_key().id());
    let origin = "example.com/a".parse().unwrap();
    let checkpoint = Checkpoint::new(origin, 0, TreeHash::of_empty_tree());
    let at = Timestamp::from_unix_micros(1_700_000_000_999_999).unwrap();
    let note = checkpoint.sign(&[log]).unwrap();
    let note = note
        .with_signature(witness.cosign(&checkpoint, at))
        .unwrap();
    let keys = [witness.verifying_key().clone()];
    let (_, by) = note.verify(&keys).unwrap();
    assert_eq!(by[0].seconds, Some(1_700_000_000));
    // Another time is another message.
    let text = note.to_string();
    let line = text.trim_end().rsplit_once(' ').unwrap().1;
    let mut bytes = from_base64(line);
    bytes[11] ^= 1;
    let other = text.replace(line, &base64_of(&bytes));
    let other = SignedNote::parse(other.as_bytes()).unwrap();
    assert_eq!(
        other.verify(&keys),
        Err(UnverifiedNote::WrongSignature { line: 2 })
    );
}

#[test]
fn no_witness_signs_a_time_after_the_largest_signed_number() {
    let known = witness("example.com/w", 1);
    let pair = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
    let by = |seconds: u64| {
        let message = format!("cosignature/v1\ntime {seconds}\n{TEXT}");
        let signature = pair.sign(message.as_bytes());
        let bytes = [&seconds.to_be_bytes(), signature.as_ref()].concat();
        let line = NoteSignature::new(known.verifying_key(), &bytes);
        let note = SignedNote::new(TEXT, vec![line]).unwrap();
        let keys = [known.verifying_key().clone()];
        note.verify(&keys).map(|(_, by)| by[0].seconds)
    };
    let last = i64::MAX.unsigned_abs();
    assert_eq!(by(last), Ok(Some(last)));
    let wrong = UnverifiedNote::WrongSignature { line: 1 };
    assert_eq!(by(last + 1), Err(wrong));
}

#[test]
fn what_is_no_note_is_refused_where_it_stops_to_be_one() {
    let good = SignedNote::new(TEXT, vec![key("example.com/a", 1).sign(TEXT)])
        .unwrap()
        .to_string();
    let parse = |text: &str| SignedNote::parse(text.as_bytes()).unwrap_err();
    let malformed = NoteError::Malformed { line: 1 };
    assert_eq!(parse(""), NoteError::NoSignatures);
    assert_eq!(parse("text\n"), NoteError::NoSignatures);
    assert_eq!(parse("text\n\n"), NoteError::NoSignatures);
    assert_eq!(parse(good.trim_end()), NoteError::NoSignatures);
    assert_eq!(parse(&good.replace('\u{2014}', "-")), malformed);
    assert_eq!(
        parse(&good.replace("example.com/a ", "example.com/a  ")),
        malformed
    );
    assert_eq!(parse(&good.replace("example.com/a", "a+b")), malformed);
    assert_eq!(parse(&good.replace("example.com/a", "")), malformed);
    assert_eq!(parse("text\n\n\u{2014} a AAAAAA==\n"), malformed);
    assert_eq!(parse("text\n\n\u{2014} a AAAAAAB=\n"), malformed);
    assert_eq!(parse(&format!("{good}\n")), NoteError::NoSignatures);
    assert_eq!(
        parse("te\txt\n\n\u{2014} a AAAAAAA=\n"),
        NoteError::NotText { at: 2 }
    );
    assert_eq!(
        parse("te\r\n\n\u{2014} a AAAAAAA=\n"),
        NoteError::NotText { at: 2 }
    );
    let error = SignedNote::parse(b"te\xff\n\n").unwrap_err();
    assert_eq!(error, NoteError::NotText { at: 2 });
}

#[test]
fn a_note_has_at_most_64_signatures_and_512_kib() {
    let note = |count: usize| format!("text\n\n{}", "\u{2014} a AAAAAAA=\n".repeat(count));
    assert_eq!((MAX_SIGNATURES, MAX_NOTE_BYTES), (64, 524_288));
    assert!(SignedNote::parse(note(64).as_bytes()).is_ok());
    let error = SignedNote::parse(note(65).as_bytes()).unwrap_err();
    assert_eq!(error, NoteError::TooManySignatures);
    let longest = format!("{}{}", "x".repeat(524_288 - note(1).len()), note(1));
    assert!(SignedNote::parse(longest.as_bytes()).is_ok());
    let error = SignedNote::parse(format!("x{longest}").as_bytes()).unwrap_err();
    assert_eq!(error, NoteError::TooLong { found: 524_289 });
}

#[test]
fn a_text_that_would_not_be_read_again_is_not_signed() {
    let signature = || vec![key("example.com/a", 1).sign(TEXT)];
    assert!(SignedNote::new("no line end", signature()).is_err());
    assert!(SignedNote::new("a\tb\n", signature()).is_err());
    assert!(SignedNote::new(TEXT, Vec::new()).is_err());
}

#[test]
fn a_vkey_is_of_its_name_and_of_a_type_that_is_known() {
    let vkey = key("example.com/a", 1).verifying_key().to_string();
    let parse = |text: &str| text.parse::<VerifyingKey>().unwrap_err();
    assert_eq!(parse(""), InvalidVerifyingKey::Malformed);
    assert_eq!(parse("example.com/a"), InvalidVerifyingKey::Malformed);
    assert_eq!(
        parse(&vkey[..vkey.len() - 4]),
        InvalidVerifyingKey::Malformed
    );
    assert_eq!(
        parse(&vkey.replace("com/a", "com/b")),
        InvalidVerifyingKey::WrongId
    );
    let ml_dsa = format!("a+00000000+{}", base64_of(&[6; 1_313]));
    assert_eq!(parse(&ml_dsa), InvalidVerifyingKey::UnsupportedType(6));
    let upper = "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    assert_eq!(parse(upper), InvalidVerifyingKey::WrongId);
}

#[test]
fn no_key_is_printed() {
    let said = format!("{:?} {:?}", key("a", 0x41), witness("a", 0x41));
    assert!(
        !said.contains("65, 65, 65") && !said.contains("seed"),
        "{said}"
    );
}

proptest! {
    #[test]
    fn a_change_of_one_byte_is_found(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let signer = key("example.com/a", 1);
        let note = SignedNote::new(TEXT, vec![signer.sign(TEXT)]).unwrap();
        let mut bytes = note.to_string().into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != to);
        bytes[at] = to;
        let keys = [signer.verifying_key().clone()];
        if let Ok(changed) = SignedNote::parse(&bytes) {
            prop_assert!(changed.verify(&keys).is_err());
        }
    }

    #[test]
    fn what_is_read_is_written_again(text in "([a-z \n\u{2014}]{0,20}\n\n)?(\u{2014} [a-z]{0,3} [A-Za-z0-9+/]{0,12}=?=?\n){0,3}") {
        if let Ok(note) = SignedNote::parse(text.as_bytes()) {
            prop_assert_eq!(note.to_string(), text);
        }
    }

    #[test]
    fn no_vkey_panics(text in "[a-z]{0,2}(\\+[0-9a-f]{0,9}){0,2}(\\+[A-Za-z0-9+/=]{0,48})?") {
        if let Ok(key) = text.parse::<VerifyingKey>() {
            prop_assert_eq!(key.to_string(), text);
        }
    }
}

fn base64_of(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn from_base64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

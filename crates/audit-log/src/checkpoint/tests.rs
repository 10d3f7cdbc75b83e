//! Checkpoints: of which log, by whom, in one spelling.

use secrecy::SecretBox;

use super::*;
use crate::note::CosigningKey;

const ROOT: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

fn key(name: &str, byte: u8) -> SigningKey {
    let seed = SecretBox::new(Box::new([byte; 32]));
    SigningKey::from_seed(name.parse().unwrap(), &seed).unwrap()
}

fn checkpoint() -> Checkpoint {
    Checkpoint::new("log.example".parse().unwrap(), 8, ROOT.parse().unwrap())
}

#[test]
fn a_checkpoint_is_signed_and_read_again() {
    // Two keys while one replaces the other.
    let note = checkpoint()
        .sign(&[key("log.example", 1), key("log.example", 2)])
        .unwrap();
    for byte in [1, 2] {
        let keys = [key("log.example", byte).verifying_key().clone()];
        let origin = "log.example".parse().unwrap();
        let (read, by) = Checkpoint::verify(&note, &origin, &keys).unwrap();
        assert_eq!(read, checkpoint());
        assert_eq!(by.len(), 1);
    }
}

#[test]
fn another_log_and_a_witness_alone_do_not_speak_for_it() {
    let origin = "log.example".parse().unwrap();
    let note = checkpoint().sign(&[key("log.example", 1)]).unwrap();
    let keys = [key("log.example", 1).verifying_key().clone()];
    let other = "other.example".parse().unwrap();
    let error = Checkpoint::verify(&note, &other, &keys).unwrap_err();
    assert_eq!(error, CheckpointError::OtherOrigin);

    // Under the log's own name too.
    let seed = SecretBox::new(Box::new([3; 32]));
    let witness = CosigningKey::from_seed("log.example".parse().unwrap(), &seed).unwrap();
    let at = crate::event::Timestamp::from_unix_micros(0).unwrap();
    let note = note
        .with_signature(witness.cosign(&checkpoint(), at))
        .unwrap();
    let keys = [witness.verifying_key().clone()];
    let error = Checkpoint::verify(&note, &origin, &keys).unwrap_err();
    assert_eq!(error, CheckpointError::NotByTheLog);
    let error = checkpoint().sign(&[key("other.example", 1)]).unwrap_err();
    assert_eq!(error, CheckpointError::NotByTheLog);
    let error = Checkpoint::verify(&note, &origin, &[]).unwrap_err();
    assert_eq!(
        error,
        CheckpointError::Unverified(UnverifiedNote::NoKnownKey)
    );
}

#[test]
fn a_checkpoint_has_one_spelling() {
    let good = checkpoint().to_string();
    assert_eq!(good, format!("log.example\n8\n{ROOT}\n"));
    assert_eq!(Checkpoint::parse(&good), Ok(checkpoint()));
    for (line, text) in [
        (1, String::new()),
        (1, format!("a b\n8\n{ROOT}\n")),
        (2, format!("log.example\n08\n{ROOT}\n")),
        (2, format!("log.example\n+8\n{ROOT}\n")),
        (2, format!("log.example\n\n{ROOT}\n")),
        (2, format!("log.example\n9223372036854775808\n{ROOT}\n")),
        (2, format!("log.example\n99999999999999999999\n{ROOT}\n")),
        (3, format!("log.example\n8\n {ROOT}\n")),
        (3, "log.example\n8\n".to_owned()),
        (4, format!("log.example\n8\n{ROOT}")),
        (4, format!("{good}extension\n")),
        (4, format!("{good}\n")),
    ] {
        match Checkpoint::parse(&text) {
            Err(CheckpointError::Malformed { line: at, .. }) => assert_eq!(at, line, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
}

//! What a witness answers.

use super::WitnessError;
use crate::{
    checkpoint::decimal,
    note::{NoteSignature, SignedNote, VerifyingKey},
};

/// A time and a signature of ML-DSA-44 (FIPS 204), as C2SP tlog-cosignature has them.
const ML_DSA_44_BYTES: usize = 8 + 2_420;

/// The size that it has cosigned: the body of an answer 409.
pub(super) fn size(body: &[u8]) -> Result<u64, WitnessError> {
    let line = str::from_utf8(body).ok();
    let size = line.and_then(|line| decimal(line.strip_suffix('\n')?));
    let expected = "size in one line";
    size.ok_or(WitnessError::Answer { expected })
}

/// Its signatures on a note: the body of an answer 200. One at least is of a known key, and all that name one are right.
pub(super) fn cosignatures(
    note: &SignedNote,
    keys: &[VerifyingKey],
    body: &[u8],
) -> Result<Vec<NoteSignature>, WitnessError> {
    // Of the lines, one by one: the note may have as many of its own as it likes.
    let lines = [note.unverified_text().as_bytes(), b"\n", body].concat();
    let answered = SignedNote::parse(&lines)?;
    let (_, verified) = answered.verify(keys)?;
    if verified
        .iter()
        .any(|signature| signature.seconds == Some(0))
    {
        let expected = "time of the cosignature";
        return Err(WitnessError::Answer { expected });
    }
    let is_kept = |line: &&NoteSignature| {
        let mut named = keys.iter().filter(|key| key.name() == line.name());
        named.any(|key| key.id() == line.id() || line.as_bytes().len() == ML_DSA_44_BYTES)
    };
    Ok(answered
        .signatures()
        .iter()
        .filter(is_kept)
        .cloned()
        .collect())
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use secrecy::SecretBox;

    use super::*;
    use crate::{
        checkpoint::Checkpoint,
        event::Timestamp,
        note::{CosigningKey, SigningKey},
        tree::TreeHash,
    };

    fn note() -> (Checkpoint, SignedNote) {
        let seed = SecretBox::new(Box::new([1; 32]));
        let key = SigningKey::from_seed("log.example".parse().unwrap(), &seed).unwrap();
        let origin = key.verifying_key().name().clone();
        let checkpoint = Checkpoint::new(origin, 1, TreeHash::of_leaf(b"leaf"));
        let note = checkpoint.sign(&[key]).unwrap();
        (checkpoint, note)
    }

    fn witness(byte: u8) -> CosigningKey {
        let seed = SecretBox::new(Box::new([byte; 32]));
        CosigningKey::from_seed("witness.example/w1".parse().unwrap(), &seed).unwrap()
    }

    fn line(name: &str, bytes: usize) -> String {
        format!("\u{2014} {name} {}\n", STANDARD.encode(vec![7; 4 + bytes]))
    }

    #[test]
    fn lines_of_known_keys_are_verified_those_of_ml_dsa_44_kept_and_others_ignored() {
        let (checkpoint, note) = note();
        let (known, other) = (witness(2), witness(3));
        let at = Timestamp::from_unix_micros(1_700_000_000_000_000).unwrap();
        let keys = [known.verifying_key().clone()];
        let [by_known, by_other] = [&known, &other].map(|key| key.cosign(&checkpoint, at));
        let ml_dsa = line("witness.example/w1", ML_DSA_44_BYTES);
        let foreign = line("witness.example/w2", ML_DSA_44_BYTES);
        let body = format!("{foreign}{by_other}\n{ml_dsa}{by_known}\n");
        let kept = cosignatures(&note, &keys, body.as_bytes()).unwrap();
        let kept: Vec<_> = kept.iter().map(|line| format!("{line}\n")).collect();
        assert_eq!(kept, [ml_dsa.clone(), format!("{by_known}\n")]);

        // Without one of a known key, and with one that is not by it.
        let cases = [format!("{by_other}\n{ml_dsa}"), {
            let changed = Checkpoint::new("log.example".parse().unwrap(), 2, checkpoint.root());
            format!("{}\n", known.cosign(&changed, at))
        }];
        for body in cases {
            let refused = cosignatures(&note, &keys, body.as_bytes());
            assert!(
                matches!(refused, Err(WitnessError::NotCosigned(_))),
                "{body}"
            );
        }
        let epoch = known.cosign(&checkpoint, Timestamp::from_unix_micros(0).unwrap());
        let refused = cosignatures(&note, &keys, format!("{epoch}\n").as_bytes());
        assert!(matches!(refused, Err(WitnessError::Answer { .. })));
        for body in ["", "\n", "no line\n", "\u{2014} witness.example/w1\n"] {
            assert!(
                cosignatures(&note, &keys, body.as_bytes()).is_err(),
                "{body}"
            );
        }
    }

    #[test]
    fn a_size_is_one_line() {
        assert_eq!(size(b"20852163\n").unwrap(), 20_852_163);
        for body in [
            "",
            "1",
            "01\n",
            "-1\n",
            "1\n1\n",
            "18446744073709551616\n",
            "1 \n",
        ] {
            assert!(size(body.as_bytes()).is_err(), "{body:?}");
        }
    }
}

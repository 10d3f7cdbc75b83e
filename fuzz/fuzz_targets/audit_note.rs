//! Signed notes, checkpoints, proofs and keys of the audit log: one spelling each, and nothing is believed but what was
//! signed.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::{Corpus, fuzz_target};
use portcullis_audit_log::{
    checkpoint::Checkpoint,
    note::{SignedNote, VerifyingKey},
    proof::TlogProof,
};

/// The log's key and its witness's, and the one text that both have signed; an input may have that in it.
static KEYS: LazyLock<[VerifyingKey; 2]> = LazyLock::new(|| {
    [
        "portcullis.example/audit+beeb02ba+ARdFU7RW3d/GkI7KscEB/mqyHiuqBhd5W31DpjSCmT/V",
        "witness.example/w1+9f274363+BM0Us3+VbpUxlP9/tzs9gdzFYdYadTgJS3w+GmQ+5fOq",
    ]
    .map(|key| key.parse().expect("a known answer"))
});
const SIGNED: &str = "portcullis.example/audit\n8\nusClIbbDnMnAAq0ZnmLjWNIEklVUBhfsJvGeKtse1cA=\n";

// An input is a note, a proof, a checkpoint or a vkey.
fuzz_target!(|input: &[u8]| -> Corpus {
    if let Ok(note) = SignedNote::parse(input) {
        assert_eq!(note.to_string().as_bytes(), input, "one spelling");
        check(&note);
    }
    if let Ok(proof) = TlogProof::parse(input) {
        assert_eq!(proof.to_string().as_bytes(), input, "one spelling");
        check(proof.checkpoint());
        // No entry is empty, so that nothing leads to it.
        let shown = proof.verify(b"", KEYS[0].name(), &*KEYS);
        assert!(shown.is_err(), "an entry that the log does not have");
    }
    if let Ok(text) = str::from_utf8(input) {
        if let Ok(checkpoint) = Checkpoint::parse(text) {
            assert_eq!(checkpoint.to_string(), text, "one spelling");
        }
        if let Ok(key) = text.parse::<VerifyingKey>() {
            assert_eq!(key.to_string(), text, "one spelling");
        }
    }
    Corpus::Keep
});

fn check(note: &SignedNote) {
    if let Ok((text, signatures)) = note.verify(&*KEYS) {
        assert_eq!(text, SIGNED, "signed by nobody");
        assert!(!signatures.is_empty() && signatures.len() <= note.signatures().len());
    }
}

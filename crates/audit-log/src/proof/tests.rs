//! Proofs as files: what they show, and what is no proof.

use proptest::prelude::*;
use secrecy::SecretBox;

use super::*;
use crate::{
    note::SigningKey,
    tile::{GrowingTiles, HashTile, TileError},
    tree::RightEdge,
};

const ORIGIN: &str = "log.example";

fn key() -> SigningKey {
    let seed = SecretBox::new(Box::new([1; 32]));
    SigningKey::from_seed(ORIGIN.parse().unwrap(), &seed).unwrap()
}

fn entry(n: u64) -> Vec<u8> {
    format!("entry {n}").into_bytes()
}

fn proof(index: u64, size: u64) -> TlogProof {
    let (mut tree, mut tiles) = (RightEdge::new(), GrowingTiles::new());
    for n in 0..size {
        tree.push(TreeHash::of_leaf(&entry(n)));
        tiles.push(TreeHash::of_leaf(&entry(n)), |_, _| {
            unreachable!("it is a small log")
        });
    }
    let (path, hashes) = tiles.partial().next().unwrap();
    let tile = HashTile::new(path, hashes).unwrap();
    let proof = InclusionProof::build(index, size, |of| tile.subtree(of));
    let checkpoint = Checkpoint::new(ORIGIN.parse().unwrap(), size, tree.root());
    TlogProof::new(
        &proof.map_err(|error: TileError| error).unwrap(),
        checkpoint.sign(&[key()]).unwrap(),
    )
}

fn verify(proof: &TlogProof, n: u64) -> Result<u64, TlogProofError> {
    let keys = [key().verifying_key().clone()];
    let (checkpoint, _) = proof.verify(&entry(n), &ORIGIN.parse().unwrap(), &keys)?;
    Ok(checkpoint.size())
}

#[test]
fn a_proof_is_written_read_and_shown() {
    let proof = proof(5, 8).with_extra(b"beside".to_vec());
    let text = proof.to_string();
    let lines: Vec<_> = text.lines().collect();
    let head = ["c2sp.org/tlog-proof@v1", "extra YmVzaWRl", "index 5"];
    assert_eq!(lines[..3], head);
    assert_eq!(lines[6..9], ["", ORIGIN, "8"]);
    let read = TlogProof::parse(text.as_bytes()).unwrap();
    assert_eq!(read, proof);
    assert_eq!((read.index(), read.extra()), (5, &b"beside"[..]));
    assert_eq!(verify(&read, 5), Ok(8));
    assert_eq!(verify(&read, 4), Err(ProofError::WrongRoot.into()));
}

#[test]
fn the_only_entry_of_a_log_needs_no_hash() {
    let text = proof(0, 1).to_string();
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nindex 0\n\nlog.example\n1\n"));
    assert_eq!(
        verify(&TlogProof::parse(text.as_bytes()).unwrap(), 0),
        Ok(1)
    );
}

#[test]
fn what_is_no_proof_is_refused_at_its_line() {
    let good = proof(5, 8).to_string();
    let hash = good.lines().nth(2).unwrap().to_owned();
    for (line, text) in [
        (1, String::new()),
        (1, good.replace("@v1", "@v2")),
        (2, good.replace("index 5", "index 05")),
        (2, good.replace("index 5", "index")),
        (2, good.replace("index 5", "extra \nindex 5")),
        (2, good.replace("index 5", "extra A\nindex 5")),
        (3, good.replace("index 5", "extra AAAA")),
        (3, good.replace(&hash, "hash")),
        (66, good.replace(&hash, &[hash.as_str(); 64].join("\n"))),
        (
            3,
            good.lines()
                .take(2)
                .map(|line| format!("{line}\n"))
                .collect(),
        ),
    ] {
        match TlogProof::parse(text.as_bytes()) {
            Err(TlogProofError::Malformed { line: at, .. }) => assert_eq!(at, line, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    let no_note = good.replace('\u{2014}', "-");
    assert!(matches!(
        TlogProof::parse(no_note.as_bytes()),
        Err(TlogProofError::Note(_))
    ));
}

#[test]
fn a_proof_of_another_length_is_none() {
    let good = proof(5, 8).to_string();
    let hash = good.lines().nth(2).unwrap();
    let longer = good.replace(hash, &format!("{hash}\n{hash}"));
    let longer = TlogProof::parse(longer.as_bytes()).unwrap();
    let (expected, found) = (3, 4);
    assert_eq!(
        verify(&longer, 5),
        Err(ProofError::WrongLength { expected, found }.into())
    );
}

proptest! {
    #[test]
    fn a_change_of_one_byte_is_found(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut bytes = proof(5, 8).to_string().into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != to);
        bytes[at] = to;
        if let Ok(changed) = TlogProof::parse(&bytes) {
            prop_assert!(verify(&changed, 5).is_err());
        }
    }
}

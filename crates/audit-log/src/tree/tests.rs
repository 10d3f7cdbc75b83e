//! Roots and proofs against the definitions of RFC 6962, written down as they stand there.

mod naive;

use proptest::prelude::*;

use self::naive::{consistency, hashes, inclusion, root, subtree};
use super::*;

/// As the log of Certificate Transparency has them in its own tests.
const CT_LEAVES: [&str; 8] = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
];
const CT_ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

#[test]
fn the_roots_are_those_that_certificate_transparency_published() {
    let mut edge = RightEdge::new();
    for (leaf, root) in CT_LEAVES.iter().zip(CT_ROOTS) {
        edge.push(TreeHash::of_leaf(&hex::decode(leaf).unwrap()));
        assert_eq!(hex::encode(edge.root().as_bytes()), root);
    }
}

#[test]
fn every_proof_of_a_small_tree_is_that_of_the_definition() {
    for size in 0..=65 {
        let leaves = hashes(size);
        for index in 0..size {
            let proof = InclusionProof::build(index, size, |of| subtree(&leaves, of)).unwrap();
            assert_eq!(proof.hashes(), inclusion(index, &leaves));
            let leaf = &leaves[usize::try_from(index).unwrap()];
            proof.verify(leaf, &root(&leaves)).unwrap();
        }
        for old in 0..=size {
            let proof = ConsistencyProof::build(old, size, |of| subtree(&leaves, of)).unwrap();
            assert_eq!(proof.hashes(), consistency(old, &leaves));
            let old_leaves = &leaves[..usize::try_from(old).unwrap()];
            proof.verify(&root(old_leaves), &root(&leaves)).unwrap();
        }
    }
}

#[test]
fn an_edge_is_stored_and_taken_up_again() {
    let leaves = hashes(70);
    let mut edge = RightEdge::new();
    for (before, leaf) in leaves.iter().enumerate() {
        assert_eq!(edge.root(), root(&leaves[..before]));
        let again = RightEdge::from_peaks(edge.size(), edge.peaks()).unwrap();
        assert_eq!(again, edge);
        edge = RightEdge::build(edge.size(), |of| subtree(&leaves, of)).unwrap();
        assert_eq!(again, edge);
        edge.push(*leaf);
    }
    assert_eq!(edge.size(), 70);
    let peaks = edge.peaks();
    assert!(RightEdge::from_peaks(71, peaks).is_err());
    assert!(RightEdge::from_peaks(70, &peaks[1..]).is_err());
    assert!(RightEdge::from_peaks(MAX_SIZE + 1, &peaks[..1]).is_err());
}

#[test]
fn what_no_tree_has_is_refused() {
    let none = |_: Subtree| -> Result<TreeHash, ProofError> { unreachable!("nothing to ask for") };
    let no_leaf = Err(ProofError::NoSuchLeaf { index: 3, size: 3 });
    assert_eq!(InclusionProof::build(3, 3, none), no_leaf);
    let shrunk = Err(ProofError::Shrunk { old: 4, new: 3 });
    assert_eq!(ConsistencyProof::build(4, 3, none), shrunk);
    let most = MAX_SIZE + 1;
    assert_eq!(
        InclusionProof::build(0, most, none),
        Err(ProofError::TooLarge)
    );
    assert_eq!(
        ConsistencyProof::build(1, most, none),
        Err(ProofError::TooLarge)
    );
    assert_eq!(RightEdge::build(most, none), Err(ProofError::TooLarge));
}

#[test]
fn a_hash_has_one_spelling() {
    let hash = TreeHash::of_empty_tree();
    let text = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    assert_eq!(hash.to_string(), text);
    assert_eq!(text.parse(), Ok(hash));
    // Bits behind the last byte, no padding, another alphabet, a blank, too short.
    for other in [
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=",
        "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
        "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=",
        " 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "47DEQpj8HBSa",
        "",
    ] {
        assert_eq!(other.parse::<TreeHash>(), Err(InvalidHash), "{other}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn proofs_of_large_trees_are_those_of_the_definition(
        size in 1_u64..70_000, index in any::<prop::sample::Index>(), old in any::<prop::sample::Index>(),
    ) {
        let leaves = hashes(size);
        let whole = root(&leaves);
        let index = index.index(leaves.len());
        let proof = InclusionProof::build(index as u64, size, |of| subtree(&leaves, of)).unwrap();
        prop_assert_eq!(proof.hashes(), inclusion(index as u64, &leaves));
        proof.verify(&leaves[index], &whole).unwrap();

        let old = old.index(leaves.len() + 1);
        let proof = ConsistencyProof::build(old as u64, size, |of| subtree(&leaves, of)).unwrap();
        prop_assert_eq!(proof.hashes(), consistency(old as u64, &leaves));
        proof.verify(&root(&leaves[..old]), &whole).unwrap();
    }
}

proptest! {
    #[test]
    fn a_proof_shows_nothing_else(
        size in 2_u64..200, index in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(),
        bit in 0_usize..256,
    ) {
        let leaves = hashes(size);
        let whole = root(&leaves);
        let leaf = index.index(leaves.len());
        let index = leaf as u64;
        let proof = InclusionProof::build(index, size, |of| subtree(&leaves, of)).unwrap();
        prop_assert!(proof.verify(&flip(leaves[leaf], bit), &whole).is_err());
        prop_assert!(proof.verify(&leaves[leaf], &flip(whole, bit)).is_err());
        let mut hashes = proof.hashes().to_vec();
        let at = at.index(hashes.len());
        hashes[at] = flip(hashes[at], bit);
        let other = InclusionProof::from_hashes(index, size, hashes.clone()).unwrap();
        prop_assert!(other.verify(&leaves[leaf], &whole).is_err());
        hashes.pop();
        prop_assert!(InclusionProof::from_hashes(index, size, hashes).is_err());
    }

    #[test]
    fn two_trees_that_differ_are_not_consistent(
        size in 2_u64..200, old in 1_u64..200, changed in any::<prop::sample::Index>(), bit in 0_usize..256,
    ) {
        let old = old.min(size);
        let leaves = hashes(size);
        let proof = ConsistencyProof::build(old, size, |of| subtree(&leaves, of)).unwrap();
        let (old_root, new_root) = (root(&leaves[..usize::try_from(old).unwrap()]), root(&leaves));
        proof.verify(&old_root, &new_root).unwrap();
        prop_assert!(proof.verify(&flip(old_root, bit), &new_root).is_err());
        prop_assert!(proof.verify(&old_root, &flip(new_root, bit)).is_err());
        if !proof.hashes().is_empty() {
            let mut hashes = proof.hashes().to_vec();
            let at = changed.index(hashes.len());
            hashes[at] = flip(hashes[at], bit);
            let other = ConsistencyProof::from_hashes(old, size, hashes).unwrap();
            prop_assert!(other.verify(&old_root, &new_root).is_err());
        }
    }

    #[test]
    fn no_length_of_any_tree_panics(old in any::<u64>(), new in any::<u64>(), count in 0_usize..130) {
        let hashes = vec![TreeHash::of_empty_tree(); count];
        let (leaf, root) = (TreeHash::of_leaf(&[]), TreeHash::of_empty_tree());
        for (old, new) in [(old, new), (old >> 1, new >> 1)] {
            if let Ok(proof) = InclusionProof::from_hashes(old, new, hashes.clone()) {
                prop_assert!(proof.verify(&leaf, &root).is_err());
            }
            // With as many hashes as it takes, since few guesses are right.
            let asked = InclusionProof::build(old, new, |_| Ok::<_, ProofError>(leaf));
            let _ = asked.map(|proof| proof.verify(&leaf, &root));
            let asked = ConsistencyProof::build(old, new, |_| Ok::<_, ProofError>(leaf));
            let _ = asked.map(|proof| proof.verify(&leaf, &root));
        }
    }
}

fn flip(hash: TreeHash, bit: usize) -> TreeHash {
    let mut bytes = *hash.as_bytes();
    bytes[bit / 8] ^= 1 << (bit % 8);
    TreeHash::from_bytes(bytes)
}

//! Leaves, their hashes, roots and proofs.

use portcullis_audit_log::tree::{ConsistencyProof, InclusionProof, RightEdge};

use super::{LEAF_0, Leaf, TreeHash, hash, leaf, personal};

/// Of the sizes 0 to 8.
const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "b4269af186365e7b50f412040b14fa3f335a930f712dc64a351705cdd2b8763c",
    "6b8f1e442035153a88e95f0c1b59d7988e665fe8e6e94fb97203eec4930f7746",
    "38cca2018ab969397d8591fde7a1aa638dfe42cea6e14f29ccd188e42f01c2ba",
    "486989f4bf676bc25fb93702c00d585c1d27c76226c1c6586d7fffaa0c84590f",
    "f09c0773d5b7e0981eb0571cda65f0405977036e09300ac5ebbabaf0e5c86cc9",
    "28f47e4b0c7858908d1c744d19f24617d9820a57aef3a95b32e87f5d62f492ab",
    "fd3f3717db22f50d3348df037b9930f34a07d763298dae4dc74dbbd0e20ae5df",
    "bac0a521b6c39cc9c002ad199e62e358d2049255540617ec26f19e2adb1ed5c0",
];
const ROOT_300: &str = "54add3bef60001ee2a57c1b6e497a9ca0409d85fbda7d5dc66d4f5aa0adea126";
/// That leaf 5 is in the tree of 8, without the last hash, which is the root of 4.
const INCLUSION_5_8: [&str; 2] = [
    "3f3c6576c53709cc8afd070452bf112f7c32cf378a5473208fae4b056d609dca",
    "08b9373de7516a53dbe4c1adf1584a6532c63020759e54e1d8020b41899e296c",
];
/// That 3 leaves are the beginning of 8; the third hash is the root of 2.
const CONSISTENCY_3_8: [&str; 4] = [
    "81068232f7962e32330154101678eaa64e655f4dc09cbec50c33303f066a4f50",
    "acd30e12c3053a10b37471eded98f3c9391c48b450967794a4377864a121dfc2",
    ROOTS[2],
    "d16f476e2266a141d865ddef29bc06121e9b2eb73588900585fd7a6e28c694cb",
];

#[test]
fn a_leaf_has_these_bytes() {
    assert_eq!(String::from_utf8(leaf(0)).unwrap(), LEAF_0);
    let leaf = Leaf::parse(LEAF_0.as_bytes()).unwrap();
    assert_eq!(leaf.reason_reference(), Some("T-1042"));
    leaf.personal().unwrap().verify(&personal()).unwrap();
}

#[test]
fn a_personal_part_has_these_bytes() {
    let personal = personal();
    let json = r#"{"ip":"203.0.113.7","ua":"curl/8.5","text":"customer called"}"#;
    assert_eq!(personal.json(), json);
    let salt = hex::decode("000102030405060708090a0b0c0d0e0f").unwrap();
    assert_eq!(personal.as_bytes(), [&salt, json.as_bytes()].concat());
    let commitment = "Xy7OS1rx35-NECy0ym9_5UCiZdZj9ttYKUXE8q7V550";
    assert_eq!(personal.commitment().to_string(), commitment);
}

#[test]
fn the_hash_of_a_leaf_is_the_root_of_the_tree_of_one() {
    assert_eq!(TreeHash::of_leaf(LEAF_0.as_bytes()), hash(ROOTS[1]));
}

#[test]
fn trees_have_these_roots() {
    let mut tree = RightEdge::new();
    for (size, root) in (0..).zip(ROOTS) {
        assert_eq!(tree.root(), hash(root), "of {size}");
        tree.push(TreeHash::of_leaf(&leaf(size)));
    }
    for n in 9..300 {
        tree.push(TreeHash::of_leaf(&leaf(n)));
    }
    assert_eq!((tree.size(), tree.root()), (300, hash(ROOT_300)));
}

#[test]
fn leaf_5_is_in_the_tree_of_8() {
    let [sibling, next] = INCLUSION_5_8.map(hash);
    let hashes = vec![sibling, next, hash(ROOTS[4])];
    let proof = InclusionProof::from_hashes(5, 8, hashes).unwrap();
    proof
        .verify(&TreeHash::of_leaf(&leaf(5)), &hash(ROOTS[8]))
        .unwrap();
}

#[test]
fn the_tree_of_3_is_the_beginning_of_that_of_8() {
    let hashes = CONSISTENCY_3_8.map(hash).to_vec();
    let proof = ConsistencyProof::from_hashes(3, 8, hashes).unwrap();
    proof.verify(&hash(ROOTS[3]), &hash(ROOTS[8])).unwrap();
}

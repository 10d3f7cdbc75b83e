//! Shows that an entry is in a log, and that the log has only grown since.
//!
//! `cargo run -p portcullis-audit-log --example prove_an_event`

use portcullis_audit_log::tree::{
    ConsistencyProof, InclusionProof, ProofError, RightEdge, TreeHash,
};

fn main() -> Result<(), ProofError> {
    let leaves: Vec<_> = (0_u8..4).map(|n| TreeHash::of_leaf(&[n])).collect();
    let mut tree = RightEdge::new();
    tree.push(leaves[0]);
    tree.push(leaves[1]);
    let earlier = tree.root();
    tree.push(leaves[2]);
    tree.push(leaves[3]);

    let right = TreeHash::of_children(&leaves[2], &leaves[3]);
    InclusionProof::from_hashes(0, 4, vec![leaves[1], right])?.verify(&leaves[0], &tree.root())?;
    ConsistencyProof::from_hashes(2, 4, vec![right])?.verify(&earlier, &tree.root())
}

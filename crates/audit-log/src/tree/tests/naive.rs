//! RFC 6962, 2.1, word for word: recursive, over all leaves, for comparison.

use crate::tree::{ProofError, Subtree, TreeHash};

/// The hashes of `count` different leaves.
pub(super) fn hashes(count: u64) -> Vec<TreeHash> {
    (0..count)
        .map(|n| TreeHash::of_leaf(&n.to_be_bytes()))
        .collect()
}

/// MTH(D[n]).
pub(super) fn root(leaves: &[TreeHash]) -> TreeHash {
    match leaves {
        [] => TreeHash::of_empty_tree(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(largest_power_below(leaves.len()));
            TreeHash::of_children(&root(left), &root(right))
        }
    }
}

/// PATH(m, D[n]).
pub(super) fn inclusion(index: u64, leaves: &[TreeHash]) -> Vec<TreeHash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let power = largest_power_below(leaves.len());
    let (left, right) = leaves.split_at(power);
    let (mut path, other) = if index < power as u64 {
        (inclusion(index, left), root(right))
    } else {
        (inclusion(index - power as u64, right), root(left))
    };
    path.push(other);
    path
}

/// PROOF(m, D[n]), and nothing for a tree without leaves, which the RFC leaves out.
pub(super) fn consistency(old: u64, leaves: &[TreeHash]) -> Vec<TreeHash> {
    if old == 0 {
        return Vec::new();
    }
    sub_proof(usize::try_from(old).unwrap(), leaves, true)
}

fn sub_proof(old: usize, leaves: &[TreeHash], is_whole: bool) -> Vec<TreeHash> {
    if old == leaves.len() {
        return if is_whole {
            Vec::new()
        } else {
            vec![root(leaves)]
        };
    }
    let power = largest_power_below(leaves.len());
    let (left, right) = leaves.split_at(power);
    let (mut path, other) = if old <= power {
        (sub_proof(old, left, is_whole), root(right))
    } else {
        (sub_proof(old - power, right, false), root(left))
    };
    path.push(other);
    path
}

/// The hash of a perfect subtree, which has to be within the tree.
pub(super) fn subtree(leaves: &[TreeHash], of: Subtree) -> Result<TreeHash, ProofError> {
    let start = usize::try_from(of.index() << of.level()).unwrap();
    Ok(root(&leaves[start..start + (1 << of.level())]))
}

fn largest_power_below(count: usize) -> usize {
    let mut power = 1;
    while power * 2 < count {
        power *= 2;
    }
    power
}

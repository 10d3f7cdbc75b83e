//! Keys and tokens in the shapes that their issuers document.

use crate::random::Random;

const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

pub(super) fn make(random: &mut Random) -> String {
    let mut word = |length: usize| random.letters(BASE62, length);
    match word(1).bytes().next().map_or(0, |byte| byte % 10) {
        0 => format!("ghp_{}", word(36)),
        1 => format!("github_pat_{}_{}", word(22), word(59)),
        2 => format!("glpat-{}", word(20)),
        3 => format!("sk_live_{}", word(24)),
        4 => format!("AIza{}", word(35)),
        5 => format!("npm_{}", word(36)),
        6 => format!("SG.{}.{}", word(22), word(43)),
        7 => format!("AKIA{}", random.letters(BASE32, 16)),
        8 => format!(
            "xoxb-{}-{}-{}",
            random.number(12),
            random.number(12),
            random.letters(BASE62, 24)
        ),
        _ => format!("pcl_{}", word(32)),
    }
}

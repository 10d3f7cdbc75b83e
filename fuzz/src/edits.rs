//! Changes of known bytes, which an input gives as a recipe.

/// An original with bytes put in place of others, taken out, or from another original: three bytes of a
/// recipe for each change.
#[must_use]
pub fn changed(originals: &[impl AsRef<[u8]>], which: u8, changes: &[u8]) -> Vec<u8> {
    let of = |number: u8| originals[usize::from(number) % originals.len()].as_ref();
    let mut bytes = of(which).to_vec();
    for change in changes.chunks_exact(3) {
        let [how, at, with] = [change[0], change[1], change[2]];
        if bytes.is_empty() {
            break;
        }
        let at = usize::from(at) % bytes.len();
        match how % 4 {
            0 => bytes[at] = with,
            1 => bytes[at] ^= with,
            2 => bytes.truncate(at),
            _ => {
                let other = of(with);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[at.min(other.len())..]);
            }
        }
    }
    bytes
}

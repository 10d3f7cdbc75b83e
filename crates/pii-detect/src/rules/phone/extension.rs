//! `ext. 12`, `x12`, `;ext=12`, `ramal 12`.

use super::digits;

const WORDS: [&[u8]; 12] = [
    b"extension",
    b"durchwahl",
    b"ramal",
    b"poste",
    b"anexo",
    b"ext",
    b"int",
    b"dw",
    b"xt",
    b"x",
    "доб".as_bytes(),
    b"#",
];
const MAX_DIGITS: usize = 7;

/// Where the extension ends that follows a number which ends at `at`.
pub(super) fn end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let lead = blanks(rest, b" ,;");
    let begins_word = |b: &u8| b.is_ascii_alphabetic() || *b == b'#' || !b.is_ascii();
    if !rest.get(lead).is_some_and(begins_word) {
        return None;
    }
    let word = WORDS.iter().find(|word| {
        rest.get(lead..lead + word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    })?;
    let after = lead + word.len();
    let number = at + after + blanks(&rest[after..], b".:= ");
    let length = digits::run(bytes, number);
    let end = number + length;
    let fits = (1..=MAX_DIGITS).contains(&length);
    (fits && !bytes.get(end).is_some_and(u8::is_ascii_alphanumeric)).then_some(end)
}

/// How many of these stand at the start, two at most.
fn blanks(rest: &[u8], of: &[u8]) -> usize {
    rest.iter().take(2).take_while(|b| of.contains(b)).count()
}

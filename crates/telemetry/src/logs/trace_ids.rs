//! The ids of the span that a line belongs to, as members of its JSON object.

use crate::traces::Ids;

/// Both members, with zeros where the digits stand: a line takes them in one piece.
const MEMBERS: &[u8; SPAN_AT + 2 * 8 + 1] =
    br#","trace_id":"00000000000000000000000000000000","span_id":"0000000000000000""#;
const TRACE_AT: usize = br#","trace_id":""#.len();
const SPAN_AT: usize = TRACE_AT + 2 * 16 + br#"","span_id":""#.len();

pub(super) fn push(line: &mut String, ids: Ids) {
    let mut members = *MEMBERS;
    write_hex(&mut members[TRACE_AT..], ids.trace.to_bytes());
    write_hex(&mut members[SPAN_AT..], ids.span.to_bytes());
    line.push_str(str::from_utf8(&members).expect("names and digits are ASCII"));
}

/// Hexadecimal digits in lower case, without a branch or a table, so that many are written at once.
fn write_hex<const N: usize>(digits: &mut [u8], bytes: [u8; N]) {
    for (pair, byte) in digits.chunks_exact_mut(2).zip(bytes) {
        pair[0] = digit(byte >> 4);
        pair[1] = digit(byte & 15);
    }
}

const fn digit(value: u8) -> u8 {
    const TO_LETTERS: u8 = b'a' - b'9' - 1;
    b'0' + value + if value > 9 { TO_LETTERS } else { 0 }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanId, TraceId};

    use super::*;

    #[test]
    fn they_are_the_digits_that_opentelemetry_writes() {
        let low = u128::from_be_bytes(
            *b"\x00\x01\x09\x0a\x0f\x10\x90\x99\x9a\xa0\xa9\xaa\xaf\xf0\xfe\xff",
        );
        for id in [1, low, low.reverse_bits(), u128::MAX] {
            let trace = TraceId::from(id);
            let span = SpanId::from(u64::try_from(id >> 64).expect("half of it") | 1);
            let mut line = String::from("{");
            push(&mut line, Ids { trace, span });
            assert_eq!(
                line,
                format!(r#"{{,"trace_id":"{trace}","span_id":"{span}""#)
            );
        }
    }
}

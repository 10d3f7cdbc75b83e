//! How deeply JSON is nested, found before anything is built from it.

use crate::{pipeline::rejection::Rejection, quality::Reason};

/// Refuses a text that opens more than `limit` objects and arrays within each other.
pub(super) fn check(text: &[u8], limit: usize) -> Result<(), Rejection> {
    let mut depth = 0_usize;
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => skip_string(&mut bytes),
            _ => {}
        }
        if depth > limit {
            let detail = format!("the JSON is nested more than {limit} levels deep");
            return Err(Rejection::new(Reason::ParseDepth, detail));
        }
    }
    Ok(())
}

fn skip_string(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
}

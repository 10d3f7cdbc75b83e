//! JSON as every answer writes it.

use serde::Serialize;

/// One line, with its end: what a terminal shows, or a script appends to a file, ends where it should.
pub(super) fn json_text(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut text = serde_json::to_vec(value)?;
    text.push(b'\n');
    Ok(text)
}

//! What a database remembers of the file of erasures, so that one that is lost, or another one, is missed.

use ring::digest::{SHA256, digest};

/// What a file has, or is known to have had.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NotedErasures {
    pub(crate) count: u64,
    /// Which file it is: 16 bytes of SHA-256 over its first line, which never changes, in hexadecimal. None of one
    /// that is empty, or that an earlier version noted.
    pub(crate) file: Option<String>,
}

impl NotedErasures {
    /// Of a text whose last line may have been cut.
    pub(super) fn of(text: &[u8]) -> Self {
        let lines = text.split_inclusive(|byte| *byte == b'\n');
        let mut whole = lines.filter(|line| line.ends_with(b"\n"));
        let first = whole.next();
        let count = whole.count() + usize::from(first.is_some());
        Self {
            count: count as u64,
            file: first.map(id),
        }
    }
}

fn id(line: &[u8]) -> String {
    let hash = digest(&SHA256, line);
    let bytes = hash.as_ref()[..16].iter();
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

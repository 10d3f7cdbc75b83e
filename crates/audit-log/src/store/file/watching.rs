//! What somebody else did to the files of a journal.

use super::{FileStoreError, log::JOURNAL, log::Log};
use crate::journal::{Frame, Journal};

/// The first entry that a start would not find in the journal as it was written; the size of the log, if there is
/// something behind the last. While others append, only that there is none is certain.
pub(super) fn first_lost(log: &Log) -> Result<Option<u64>, FileStoreError> {
    let known = log.recent().clone();
    let mut memory = known.groups().flat_map(|group| group.parted()).peekable();
    let mut other = None;
    let each = |frame: &Frame<'_>| {
        let mut parts = frame.personal().peekable();
        for (n, entry) in (frame.first()..).zip(frame.entries()) {
            let part = parts.next_if(|part| part.n == n).map(|part| part.sealed);
            while memory.next_if(|(of, ..)| *of < n).is_some() {}
            let same = memory.next_if(|(of, ..)| *of == n);
            if same.is_some_and(|same| same != (n, entry, part)) {
                other.get_or_insert(n);
            }
        }
    };
    let looked = Journal::look(&log.path_of(JOURNAL), known.edge.clone(), each);
    match looked.map_err(FileStoreError::from) {
        Ok(look) if look.size < known.size() => Ok(other.or(Some(look.size))),
        Ok(look) => Ok(other.or_else(|| look.is_torn.then_some(known.size()))),
        Err(error) if error.is_damaged_journal() => Ok(Some(known.in_place)),
        Err(error) => Err(error),
    }
}

//! Cursors that cannot be any of the log, told to the operator.

use portcullis_audit_log::{event::Id, store::CursorBeyond};

/// Tells of one, which somebody then sets back.
pub(crate) fn cursor_beyond(cursor: &Id, found: CursorBeyond) {
    let CursorBeyond { next, size, .. } = found;
    tracing::error!(
        %cursor,
        next,
        size,
        "a cursor is behind the end of the audit log: somebody has changed it, or the log was put back without it. It is \
         set back, and entries may be delivered or looked at again"
    );
}

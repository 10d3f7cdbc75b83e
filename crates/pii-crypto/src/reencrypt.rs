//! Going over stored rows: sealing them again under the present keys, taking plaintext in, writing
//! indexes that are missing, and counting what is left.

mod rows;

pub use self::rows::{
    FieldValue, IndexWrite, RowChange, RowError, RowField, RowOutcome, Scope, SealedRow, SealedRows,
};

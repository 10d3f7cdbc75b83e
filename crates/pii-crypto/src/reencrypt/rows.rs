//! Rows with personal data, as an application stores them.

use std::{collections::BTreeSet, error::Error, fmt, num::NonZeroU32};

use async_trait::async_trait;
use portcullis_keyring::{KeyId, TenantId, sweep::Cursor};

use crate::{AnyPii, IndexValue, IndexVersion, ParseError, PiiKind, Sealed};

/// A table of the application whose rows hold personal data.
///
/// # Contract
/// * [`page`](Self::page) gives the rows of a scope in one order that never changes, and each row that
///   was in the scope when the sweep began and still is. A row has a [`Cursor`] of its own.
/// * [`apply`](Self::apply) writes a row only if every field that it was read with still holds the same
///   bytes, and then all of its change or nothing, with the ids of the keys that the row needs from
///   then on (`sealed_ref`): a writer that came first wins.
/// * What `apply` has answered for is durable, and it answers or fails within 20 s: what it writes was
///   sealed up to 10 s before, and from sealing to committing it may take 30 s, after which keys retire.
/// * An application that writes plaintext no more clears the plaintext whenever it writes the sealed
///   value, and `apply` does so too.
///
/// `conformance::sealed_rows` checks an implementation against it.
#[async_trait]
pub trait SealedRows: fmt::Debug + Send + Sync {
    /// The name of the table: a label of metrics, and what cursors are stored under.
    fn table(&self) -> &str;

    /// How many rows are in the scope now.
    ///
    /// # Errors
    /// [`RowError`].
    async fn count(&self, scope: &Scope) -> Result<u64, RowError>;

    /// At most `limit` rows of the scope, those after `after`.
    ///
    /// # Errors
    /// [`RowError`].
    async fn page(
        &self,
        scope: &Scope,
        after: Option<&Cursor>,
        limit: NonZeroU32,
    ) -> Result<Vec<SealedRow>, RowError>;

    /// Writes changes, in one transaction if the database has some; one outcome for each, in order. One
    /// row's outcome is never another's: what the database refuses of a row is
    /// [`RowOutcome::Refused`], and the others are written.
    ///
    /// # Errors
    /// [`RowError`]: nothing was written.
    async fn apply(&self, changes: &[RowChange]) -> Result<Vec<RowOutcome>, RowError>;

    /// The values that a field of a row is found by, one for each live version, the enforced one first;
    /// by default fields are not indexed.
    fn index(&self, tenant: &TenantId, field: &str, value: &AnyPii) -> Vec<IndexWrite> {
        let _ = (tenant, field, value);
        Vec::new()
    }

    /// Whether rows are found by any field. Of a table where none is, a rotation of the index root opens no
    /// row.
    fn is_indexed(&self) -> bool {
        true
    }

    /// What was remembered of the sweep of that name.
    ///
    /// # Errors
    /// [`RowError`].
    async fn cursor(&self, sweep: &str) -> Result<Option<Cursor>, RowError>;

    /// Remembers where a sweep is, in at most 2 KiB more than a row's own cursor has; `None` when it is
    /// at its end.
    ///
    /// # Errors
    /// [`RowError`].
    async fn set_cursor(&self, sweep: &str, cursor: Option<&Cursor>) -> Result<(), RowError>;
}

/// Which rows a sweep goes over.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// Those that need one of these keys.
    Keys(BTreeSet<KeyId>),
    /// Those that still hold plaintext in a column that has a sealed one beside it.
    Plaintext,
    /// Those that lack index values of this version.
    NotIndexed(IndexVersion),
    /// All that hold personal data.
    All,
}

/// A row as it was read.
#[derive(Debug)]
#[non_exhaustive]
pub struct SealedRow {
    /// Whose it is.
    pub tenant: TenantId,
    /// Which row, and where in the order.
    pub at: Cursor,
    /// What it holds of personal data. What is empty is left out.
    pub fields: Vec<RowField>,
    /// The index values that are stored for it, each with the number of its field; `None` if they were
    /// not read. Verification compares them with what [`SealedRows::index`] gives.
    pub indexed: Option<Vec<(usize, IndexWrite)>>,
}

/// Personal data in a row.
#[derive(Debug)]
#[non_exhaustive]
pub struct RowField {
    /// The logical name of the field that it is bound to: `lead.email`.
    pub field: String,
    /// The record that it is bound to.
    pub record: String,
    /// The kind; `None` where only the key says it, by its purpose, and where what looks sealed may be
    /// a text of somebody else's: if the tenant has no such key, it is left alone.
    pub kind: Option<PiiKind>,
    /// What is stored.
    pub value: FieldValue,
}

/// What is stored of a field.
#[derive(Debug)]
#[non_exhaustive]
pub enum FieldValue {
    /// A sealed value.
    Sealed(Sealed<AnyPii>),
    /// Bytes in the place of a sealed value that are none.
    Malformed,
    /// Plaintext that was there before the field was sealed, or that a process of then wrote beside it.
    Plain(AnyPii),
    /// Plaintext that is no value of the field's kind.
    Invalid(ParseError),
}

/// What a row becomes.
#[derive(Debug)]
#[non_exhaustive]
pub struct RowChange {
    /// The row as it was read.
    pub row: SealedRow,
    /// New values, each with the number of its field in `row.fields`. Without one the row keeps what it
    /// has, and the ids of the keys that it needs are written again.
    pub sealed: Vec<(usize, Sealed<AnyPii>)>,
    /// Index values, each with the number of its field: they are to be there afterwards, and no others
    /// of the same field, index and version.
    pub indexed: Vec<(usize, IndexWrite)>,
}

/// An index value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexWrite {
    /// Which of the field's indexes: `identity`, `search`.
    pub index: &'static str,
    /// The value, which tells its version.
    pub value: IndexValue,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RowOutcome {
    /// It is written.
    Written,
    /// The row is not what was read any more.
    Changed,
    /// Another row has an index value that only one may have: two records turn out to be the same.
    Duplicate,
    /// The database refuses the row, for instance by a constraint, and will each time.
    Refused,
}

/// The table could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("the table {table} cannot be read or written")]
pub struct RowError {
    table: String,
    #[source]
    source: Box<dyn Error + Send + Sync>,
}

impl SealedRow {
    /// A row as it was read.
    #[must_use]
    pub const fn new(tenant: TenantId, at: Cursor, fields: Vec<RowField>) -> Self {
        Self {
            tenant,
            at,
            fields,
            indexed: None,
        }
    }

    /// Whether another reading of the row found the same in every field. An implementation of
    /// [`apply`](SealedRows::apply) reads the row again in its transaction and asks this.
    #[must_use]
    pub fn holds_same(&self, other: &Self) -> bool {
        let same = |(one, other): (&RowField, &RowField)| {
            one.field == other.field
                && one.record == other.record
                && one.value.is_same(&other.value)
        };
        self.tenant == other.tenant
            && self.at == other.at
            && self.fields.len() == other.fields.len()
            && self.fields.iter().zip(&other.fields).all(same)
    }

    /// The same row, with the index values that are stored for it.
    #[must_use]
    pub fn with_indexed(self, indexed: Vec<(usize, IndexWrite)>) -> Self {
        Self {
            indexed: Some(indexed),
            ..self
        }
    }
}

impl FieldValue {
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sealed(one), Self::Sealed(other)) => one == other,
            // EXPOSE: compared, and nothing is told but whether they are the same.
            (Self::Plain(one), Self::Plain(other)) => one.expose() == other.expose(),
            (Self::Malformed, Self::Malformed) => true,
            (Self::Invalid(one), Self::Invalid(other)) => one == other,
            _ => false,
        }
    }
}

impl RowChange {
    /// A row that keeps its values.
    #[must_use]
    pub const fn none(row: SealedRow) -> Self {
        Self {
            row,
            sealed: Vec::new(),
            indexed: Vec::new(),
        }
    }
}

impl RowField {
    /// A field as it was read.
    #[must_use]
    pub const fn new(
        field: String,
        record: String,
        kind: Option<PiiKind>,
        value: FieldValue,
    ) -> Self {
        Self {
            field,
            record,
            kind,
            value,
        }
    }
}

impl IndexWrite {
    /// A value of one of a field's indexes.
    #[must_use]
    pub const fn new(index: &'static str, value: IndexValue) -> Self {
        Self { index, value }
    }
}

impl RowError {
    /// The table did not do what it was asked.
    #[must_use]
    pub fn new(table: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            table: table.into(),
            source: source.into(),
        }
    }
}

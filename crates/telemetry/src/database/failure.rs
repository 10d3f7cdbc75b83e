//! How a statement failed, in few words.

/// How a statement failed: what `error.type` says, and the code that the database answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseFailure {
    pub(super) kind: &'static str,
    pub(super) status_code: Option<Box<str>>,
}

/// No SQLSTATE, result code of SQLite or prefix of a Redis error is longer.
const MAX_STATUS_CODE_BYTES: usize = 16;

impl DatabaseFailure {
    /// A failure of this kind: `busy`, `timeout`, `unique_violation`. It is text of the program, so that
    /// there are few, and none says what was stored.
    #[must_use]
    pub const fn new(kind: &'static str) -> Self {
        Self {
            kind,
            status_code: None,
        }
    }

    /// `db.response.status_code`: an SQLSTATE, a result code of SQLite, the prefix of a Redis error.
    ///
    /// What is no code (longer than 16 bytes, or with other characters than letters, digits and `_`) is
    /// left out, since it may be a message with values in it.
    #[must_use]
    pub fn with_status_code(mut self, code: &str) -> Self {
        let is_code = (1..=MAX_STATUS_CODE_BYTES).contains(&code.len())
            && code
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        self.status_code = is_code.then(|| code.into());
        self
    }
}

impl From<&'static str> for DatabaseFailure {
    fn from(kind: &'static str) -> Self {
        Self::new(kind)
    }
}

//! What a server said, without what a row holds.

use crate::store::StoreError;

/// Why a server did not do what it was asked.
///
/// The server's own words may quote a row, and so are left out, but for those of class 42: they are about names that
/// are not there or not allowed, and all statements are constants.
#[derive(Debug, thiserror::Error)]
#[error("PostgreSQL refused it with SQLSTATE {code}{}", .said.as_deref().unwrap_or_default())]
struct Refusal {
    code: Box<str>,
    said: Option<Box<str>>,
}

/// Names that are not there or not allowed.
const ABOUT_NAMES: &str = "42";

/// `data_corrupted` and `index_corrupted`.
const DAMAGED: [&str; 2] = ["XX001", "XX002"];

pub(super) fn failed(error: sqlx::Error) -> StoreError {
    let sqlx::Error::Database(refused) = &error else {
        return StoreError::unavailable(error);
    };
    let code: Box<str> = refused.code().unwrap_or_default().into();
    let is_about_names = code.starts_with(ABOUT_NAMES);
    let said = is_about_names.then(|| format!(": {}", refused.message()).into());
    let is_damaged = DAMAGED.contains(&&*code);
    let refusal = Refusal { code, said };
    if is_damaged {
        StoreError::damaged(refusal)
    } else {
        StoreError::unavailable(refusal)
    }
}

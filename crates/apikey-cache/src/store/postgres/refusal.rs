//! What a server said, without what a row holds.

use thiserror::Error;

use crate::store::StoreError;

/// Why a server did not do what it was asked.
///
/// The server's own words may quote a row, and so are left out, but for those of class 42: they are about names that
/// are not there or not allowed, and all statements are constants.
#[derive(Debug, Error)]
#[error("PostgreSQL refused it with SQLSTATE {code}{}", .said.as_deref().unwrap_or_default())]
pub(super) struct Refusal {
    code: Box<str>,
    said: Option<Box<str>>,
}

/// Names that are not there or not allowed.
const ABOUT_NAMES: &str = "42";

/// `data_corrupted` and `index_corrupted`.
const DAMAGED: [&str; 2] = ["XX001", "XX002"];

/// `serialization_failure` and `deadlock_detected`.
const BROKEN_OFF: [&str; 2] = ["40001", "40P01"];

/// `lock_not_available`.
const LOCKED: &str = "55P03";

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
        StoreError::Corrupt(refusal.into())
    } else {
        StoreError::unavailable(refusal)
    }
}

/// Whether the server has taken a transaction back for the sake of another one.
pub(super) fn is_broken_off(error: &StoreError) -> bool {
    code(error).is_some_and(|code| BROKEN_OFF.contains(&code))
}

/// Whether somebody else has locked what was needed, for longer than could be waited for.
pub(super) fn is_locked(error: &StoreError) -> bool {
    code(error) == Some(LOCKED)
}

fn code(error: &StoreError) -> Option<&str> {
    let StoreError::Unavailable(Some(cause)) = error else {
        return None;
    };
    let refusal = cause.downcast_ref::<Refusal>()?;
    Some(&refusal.code)
}

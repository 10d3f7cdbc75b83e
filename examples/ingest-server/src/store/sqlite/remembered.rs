//! What a file remembers of its secrets, for those who only look.

use std::{fs, path::Path};

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{checks, failure::Failure, open::OPENING_TIMEOUT};
use crate::store::{RememberedSecrets, StoreError};

/// Nothing if there is no file, or none that was written to.
pub(crate) async fn remembered_secrets(
    path: &Path,
) -> Result<Option<RememberedSecrets>, StoreError> {
    if fs::metadata(path).map_or(0, |file| file.len()) == 0 {
        return Ok(None);
    }
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        // Nobody has it open: SQLite would put files beside it.
        .immutable(!Path::new(&log).exists())
        .busy_timeout(OPENING_TIMEOUT);
    let mut connection = options.connect().await.map_err(Failure::from)?;
    let remembered = read(&mut connection).await?;
    connection.close().await.map_err(Failure::from)?;
    Ok(remembered)
}

async fn read(connection: &mut SqliteConnection) -> Result<Option<RememberedSecrets>, Failure> {
    if !checks::any(&mut *connection).await? {
        return Ok(None);
    }
    Ok(Some(RememberedSecrets {
        checks: checks::all(&mut *connection).await?,
        enforced_index: checks::enforced_now(connection).await?,
    }))
}

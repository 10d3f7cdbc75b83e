//! An API key for the newcomer's first request. The database knows only its hash, so the dev
//! profile keeps the text in a file of its own.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use portcullis_apikey_cache::{ApiKey, ApiKeyCache};

use super::{DevError, secrets::file_error};
use crate::{
    admin::api_keys::{IssueError, KeyRequest},
    pipeline::Permission,
};

/// The key of the last start if it still works, or a new one.
pub(crate) async fn ensure(data_dir: &Path, keys: &ApiKeyCache) -> Result<ApiKey, DevError> {
    let path = data_dir.join("dev-demo-key");
    match fs::read_to_string(&path) {
        Ok(text) => {
            if let Ok(key) = ApiKey::parse(text.trim())
                && keys.validate(&key).await.is_ok()
            {
                return Ok(key);
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(file_error(&path, &error)),
    }
    let key = issue(keys).await?;
    write(&path, &key).map_err(|error| file_error(&path, &error))?;
    Ok(key)
}

async fn issue(keys: &ApiKeyCache) -> Result<ApiKey, DevError> {
    let request = KeyRequest {
        tenant: "demo".to_owned(),
        tier: "standard".to_owned(),
        scopes: Permission::ALL
            .iter()
            .map(|permission| permission.scope().to_owned())
            .collect(),
        expires_at: None,
    };
    match request.issue(keys).await {
        Ok(issued) => Ok(issued.into_key()),
        Err(IssueError::Failed(error)) => Err(error.into()),
        Err(IssueError::Invalid(_)) => unreachable!("the request above is valid"),
    }
}

fn write(path: &Path, key: &ApiKey) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    // EXPOSE: this file is where the dev profile keeps its demo key.
    file.write_all(key.hazmat_expose().as_bytes())
}

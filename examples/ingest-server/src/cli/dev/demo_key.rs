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
    admin::{Actor, ApiKeyError, ApiKeyRequest, ApiKeys},
    permission::Permission,
};

/// The key of the last start if it still works, or a new one.
pub(crate) async fn ensure(
    data_dir: &Path,
    keys: &ApiKeyCache,
    api_keys: &ApiKeys,
) -> Result<ApiKey, DevError> {
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
    let key = issue(api_keys).await?;
    write(&path, &key).map_err(|error| file_error(&path, &error))?;
    Ok(key)
}

async fn issue(api_keys: &ApiKeys) -> Result<ApiKey, ApiKeyError> {
    let request = ApiKeyRequest {
        tenant: "demo".to_owned(),
        tier: "standard".to_owned(),
        scopes: Permission::ALL
            .iter()
            .map(|permission| permission.scope().to_owned())
            .collect(),
        expires_at: None,
    };
    let issued = api_keys.issue(&Actor::DevProfile, &request).await?;
    Ok(issued.key)
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

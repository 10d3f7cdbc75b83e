//! An API key for the newcomer's first request. The database knows only its hash, so the dev
//! profile keeps the text in a file of its own.

use std::{io, path::Path};

use portcullis_apikey_cache::{ApiKey, ApiKeyCache};

use super::{DevError, secrets::file_error};
use crate::{
    admin::{Actor, ApiKeyError, ApiKeyRequest, ApiKeys},
    files::{self, Unreadable},
    permission::Permission,
};

const MAX_BYTES: usize = 1024;

/// The key of the last start if it still works, or a new one.
pub(crate) async fn ensure(
    data_dir: &Path,
    keys: &ApiKeyCache,
    api_keys: &ApiKeys,
) -> Result<ApiKey, DevError> {
    let path = data_dir.join("dev-demo-key");
    match files::read_text(&path, MAX_BYTES) {
        Ok(text) => {
            if let Ok(key) = ApiKey::parse(text.trim())
                && keys.validate(&key).await.is_ok()
            {
                return Ok(key);
            }
        }
        Err(Unreadable::Failed(io::ErrorKind::NotFound)) => {}
        Err(reason) => return Err(DevError::Unreadable { path, reason }),
    }
    let key = issue(api_keys).await?;
    // EXPOSE: this file is where the dev profile keeps its demo key.
    let text = key.hazmat_expose().as_bytes();
    files::replace(&path, text).map_err(|error| file_error(&path, &error))?;
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
        not_before: None,
        expires_at: None,
    };
    let issued = api_keys.issue(&Actor::DevProfile, &request).await?;
    Ok(issued.key)
}

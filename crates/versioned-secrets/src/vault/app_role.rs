//! A login as a role: an id that is not secret, and a secret id.

use std::path::PathBuf;

use secrecy::SecretString;

use super::{InvalidVaultPath, VaultError, VaultPath, tokens::read_secret};

/// A login by the AppRole method: as a role, with a secret id.
#[derive(Debug, Clone)]
pub struct AppRole {
    login: VaultPath,
    role_id: String,
    secret_id: SecretId,
}

#[derive(Debug, Clone)]
enum SecretId {
    Given(SecretString),
    File(PathBuf),
}

impl AppRole {
    /// The role with that id, and a secret id.
    #[must_use]
    pub fn new(role_id: impl Into<String>, secret_id: SecretString) -> Self {
        Self::with(role_id.into(), SecretId::Given(secret_id))
    }

    /// The role with that id, and a file that holds a secret id. It is read at every login, so that a new
    /// one needs no restart.
    #[must_use]
    pub fn with_secret_file(role_id: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self::with(role_id.into(), SecretId::File(path.into()))
    }

    /// Where the method is mounted below `auth/`; default: `approle`.
    ///
    /// # Errors
    /// [`InvalidVaultPath`].
    pub fn mounted_at(self, mount: &str) -> Result<Self, InvalidVaultPath> {
        let login = login_below(mount)?;
        Ok(Self { login, ..self })
    }

    fn with(role_id: String, secret_id: SecretId) -> Self {
        Self {
            login: login_below("approle").expect("it is a path"),
            role_id,
            secret_id,
        }
    }

    pub(super) fn role_id(&self) -> &str {
        &self.role_id
    }

    pub(super) fn secret_id(&self) -> Result<SecretString, VaultError> {
        match &self.secret_id {
            SecretId::Given(secret_id) => Ok(secret_id.clone()),
            SecretId::File(path) => read_secret(path),
        }
    }

    pub(super) const fn login(&self) -> &VaultPath {
        &self.login
    }
}

fn login_below(mount: &str) -> Result<VaultPath, InvalidVaultPath> {
    VaultPath::new("auth")?.join(mount)?.join("login")
}

